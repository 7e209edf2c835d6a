/*
 * What the master does alike for every process it holds. libev's callbacks
 * only turn readiness into the owner's calls.
 */
#include "master/process.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/fd.h"
#include "ipc/chan.h"
#include "master/master.h"

/* A dead process whose status only its parent can tell: asked so often. */
#define REAP_EVERY_S 0.01
#define REAP_TRIES 100u

static struct ev_loop *
loop_of(const struct process *p)
{
	return p->master->loop;
}

static void
drop_channel(struct process *p)
{
	ev_io_stop(loop_of(p), &p->chan_io);
	chan_close(p->chan);
	p->chan = NULL;
}

/* Watches for writing only while something is queued. */
static void
watch_channel(struct process *p)
{
	int events = EV_READ | (chan_pending(p->chan) ? EV_WRITE : 0);

	ev_io_stop(loop_of(p), &p->chan_io);
	ev_io_set(&p->chan_io, chan_fd(p->chan), events);
	ev_io_start(loop_of(p), &p->chan_io);
}

int
process_put(
    struct process *p, const struct rfk_msg *msg, const int *take_fds, int nfds)
{
	int i, rc;

	if (p->chan == NULL) {
		for (i = 0; i < nfds; i++) {
			int fd = take_fds[i];

			fd_close(&fd);
		}
		return -EPIPE;
	}
	rc = chan_put(p->chan, msg, take_fds, nfds);
	if (rc == 0)
		watch_channel(p);
	return rc;
}

void
process_read(struct process *p)
{
	struct chan *chan = p->chan;
	struct rfk_msg msg;
	int fds[RFK_FDS_MAX];
	int nfds, rc;

	/* A call may close the channel. */
	while (chan != NULL && p->chan == chan) {
		rc = chan_get(chan, &msg, fds, &nfds);
		if (rc == 0)
			return;
		if (rc == 1) {
			p->calls->message(p->owner, &msg, fds);
			continue;
		}
		drop_channel(p); /* its pidfd tells the rest */
		if (rc == -EPROTO)
			p->calls->broken(p->owner);
	}
}

static void
on_channel(struct ev_loop *loop, ev_io *w, int revents)
{
	struct process *p = w->data;

	(void)loop;
	if ((revents & EV_WRITE) && chan_flush(p->chan) == 0)
		watch_channel(p);
	if (revents & EV_READ)
		process_read(p);
}

void
process_arm(struct process *p, int64_t ms)
{
	ev_timer_stop(loop_of(p), &p->deadline);
	ev_timer_set(&p->deadline, (double)ms / 1e3, 0.);
	/* The loop's idea of now may be old: a stage has its whole time. */
	ev_now_update(loop_of(p));
	ev_timer_start(loop_of(p), &p->deadline);
}

void
process_disarm(struct process *p)
{
	ev_timer_stop(loop_of(p), &p->deadline);
}

static void
on_deadline(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct process *p = w->data;

	(void)loop;
	(void)revents;
	p->calls->late(p->owner);
}

void
process_kill(const struct process *p)
{
	pidfd_signal(p->pidfd, SIGKILL);
}

/* It is dead: learns how, now or at the next try. */
static void
reap(struct process *p)
{
	int rc = p->exit.code != 0 ? 1 : pidfd_status(p->pidfd, &p->exit);

	if (rc <= 0 && ++p->tries <= REAP_TRIES) {
		if (!ev_is_active(&p->reaping))
			ev_timer_start(loop_of(p), &p->reaping);
		return;
	}
	/* Its parent, a mold that is stopped or starved, does not come to it;
	 * or has come to it just now. */
	if (rc <= 0 && pidfd_corpse(p->pidfd, p->pid, &p->exit) == 0)
		(void)pidfd_status(p->pidfd, &p->exit);
	ev_timer_stop(loop_of(p), &p->reaping);
	if (p->chan != NULL)
		drop_channel(p);
	p->calls->gone(p->owner);
}

static void
on_reaping(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	reap(w->data);
}

void
process_look(struct process *p)
{
	if (p->pidfd < 0)
		return;
	if (!p->dead) {
		if (!pidfd_gone(p->pidfd))
			return;
		signals_stops_first(p->master);
		p->dead = true;
		/* A dead pidfd stays readable: watching it would spin. */
		ev_io_stop(loop_of(p), &p->pidfd_io);
		process_read(p); /* its last words */
	}
	reap(p);
}

static void
on_pidfd(struct ev_loop *loop, ev_io *w, int revents)
{
	(void)loop;
	(void)revents;
	process_look(w->data);
}

void
process_report(struct process *p, const struct pidfd_exit *e)
{
	if (p->exit.code == 0)
		p->exit = *e;
	process_look(p);
}

void
process_reject(int take_pidfd, int take_chan_fd)
{
	pidfd_signal(take_pidfd, SIGKILL);
	fd_close(&take_pidfd);
	fd_close(&take_chan_fd);
}

void
process_init(struct process *p, struct master *m, void *owner,
    const struct process_calls *calls)
{
	memset(p, 0, sizeof(*p));
	p->master = m;
	p->owner = owner;
	p->calls = calls;
	p->pidfd = -1;
	ev_init(&p->pidfd_io, on_pidfd);
	ev_init(&p->chan_io, on_channel);
	ev_timer_init(&p->deadline, on_deadline, 1., 0.);
	ev_timer_init(&p->reaping, on_reaping, REAP_EVERY_S, REAP_EVERY_S);
	p->pidfd_io.data = p->chan_io.data = p;
	p->deadline.data = p->reaping.data = p;
}

int
process_open(struct process *p, enum rfk_role role, pid_t pid, int take_pidfd,
    int take_chan_fd)
{
	p->chan = chan_open(take_chan_fd, role);
	if (p->chan == NULL) {
		process_reject(take_pidfd, -1);
		return -ENOMEM;
	}
	p->pid = pid;
	p->pidfd = take_pidfd;
	ev_io_set(&p->pidfd_io, p->pidfd, EV_READ);
	ev_io_start(loop_of(p), &p->pidfd_io);
	watch_channel(p);
	return 0;
}

void
process_close(struct process *p)
{
	ev_timer_stop(loop_of(p), &p->deadline);
	ev_timer_stop(loop_of(p), &p->reaping);
	ev_io_stop(loop_of(p), &p->pidfd_io);
	if (p->chan != NULL)
		drop_channel(p);
	fd_close(&p->pidfd);
}
