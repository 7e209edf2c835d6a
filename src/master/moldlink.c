/*
 * A mold as the master sees it: started or adopted, spoken to, mourned. It is
 * freed by moldlink_bury only, after the pool was told.
 */
#include "master/moldlink.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <reforkd/version.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "ipc/chan.h"
#include "master/master.h"

#define REAP_EVERY_S 0.01
#define REAP_TRIES 100u
/* A mold that was told to STOP has this long for its at_exit handlers. */
#define STOP_MS 10000

static struct ev_loop *
loop_of(const struct moldlink *l)
{
	return l->pool->master->loop;
}

static void
watch_channel(struct moldlink *l)
{
	int events = EV_READ | (chan_pending(l->chan) ? EV_WRITE : 0);

	ev_io_stop(loop_of(l), &l->chan_io);
	ev_io_set(&l->chan_io, chan_fd(l->chan), events);
	ev_io_start(loop_of(l), &l->chan_io);
}

static int
put(struct moldlink *l, const struct rfk_msg *msg, const int *fds, int nfds)
{
	int i, rc;

	if (l->chan == NULL) {
		for (i = 0; i < nfds; i++) {
			int fd = fds[i];

			fd_close(&fd);
		}
		return -EPIPE;
	}
	rc = chan_put(l->chan, msg, fds, nfds);
	if (rc == 0)
		watch_channel(l);
	return rc;
}

static void
arm(struct moldlink *l, int64_t ms)
{
	ev_timer_stop(loop_of(l), &l->deadline);
	ev_timer_set(&l->deadline, (double)ms / 1e3, 0.);
	ev_now_update(loop_of(l));
	ev_timer_start(loop_of(l), &l->deadline);
}

static void
drop_channel(struct moldlink *l)
{
	ev_io_stop(loop_of(l), &l->chan_io);
	chan_close(l->chan);
	l->chan = NULL;
}

bool
moldlink_usable(const struct moldlink *l)
{
	return l != NULL && l->state == MOLD_READY && !l->dead &&
	       l->chan != NULL;
}

void
moldlink_kill(struct moldlink *l, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	if (l->dead || l->state == MOLD_KILLED)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (l->why.text[0] == '\0')
		fail_set(&l->why, 0, "%s", text);
	if (!l->is_config_error) /* its one line is said at its end */
		log_warn("mold gen=%u pid=%d killing: %s", l->generation,
		    (int)l->pid, text);
	l->state = MOLD_KILLED;
	ev_timer_stop(loop_of(l), &l->deadline);
	ev_timer_stop(loop_of(l), &l->binding);
	pidfd_signal(l->pidfd, SIGKILL);
}

/* Its own file's, once that was read; a first mold knows no other. */
static int64_t
boot_limit(const struct moldlink *l)
{
	return l->has_settings ? l->settings.boot_timeout
			       : l->pool->settings.boot_timeout;
}

static void
on_deadline(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct moldlink *l = w->data;
	const struct rfk_settings_table *s =
	    l->has_settings ? &l->settings : &l->pool->settings;

	(void)loop;
	(void)revents;
	if (l->state == MOLD_STOPPING)
		moldlink_kill(l, "still there %.0fs after STOP", STOP_MS / 1e3);
	else if (l->by_boot)
		moldlink_kill(l, "not ready within boot_timeout %.1fs",
		    (double)boot_limit(l) / 1e3);
	else
		moldlink_kill(l, "not ready within spawn_timeout %.1fs",
		    (double)s->spawn_timeout / 1e3);
}

/* What its end is called in the log: FAILED's text, or how it died. */
static void
obituary(struct moldlink *l, char *cause, size_t cap)
{
	struct death *d = deaths_next(&l->pool->master->deaths);
	bool fine = (l->state == MOLD_STOPPING ||
			l->pool->master->phase >= MASTER_STOPPING) &&
		    pidfd_ok(&l->exit);
	char how[96];

	pidfd_exit_text(&l->exit, how, sizeof(how));
	snprintf(
	    cause, cap, "%s%s%s", how, l->why.text[0] ? ": " : "", l->why.text);
	d->at_s = (uint64_t)time(NULL);
	snprintf(d->role, sizeof(d->role), "mold");
	d->generation = l->generation;
	d->pid = l->pid;
	d->age_ms = clock_ms() - l->born_ms;
	snprintf(d->cause, sizeof(d->cause), "%.*s", (int)sizeof(d->cause) - 1,
	    cause);
	if (l->is_config_error || l->check_only)
		return; /* the one line was or will be said by whoever asked */
	(fine ? log_info : log_error)(
	    "mold gen=%u pid=%d ended (%s)", l->generation, (int)l->pid, cause);
}

static void
bury(struct moldlink *l)
{
	struct child *forking = l->forking;
	char cause[1200];

	ev_timer_stop(loop_of(l), &l->deadline);
	ev_timer_stop(loop_of(l), &l->binding);
	ev_timer_stop(loop_of(l), &l->reaping);
	ev_io_stop(loop_of(l), &l->pidfd_io);
	if (l->chan != NULL)
		drop_channel(l);
	obituary(l, cause, sizeof(cause));
	fd_close(&l->pidfd);
	l->forking = NULL;
	if (forking != NULL)
		child_event(forking, LIFE_MOLD_GONE);
	pool_mold_gone(l->pool, l, cause);
	if (l->has_settings)
		settings_fini(&l->settings);
	free(l);
}

/* False when the link is gone: it was buried. */
static bool
reap(struct moldlink *l)
{
	int rc = l->exit.code != 0 ? 1 : pidfd_status(l->pidfd, &l->exit);

	if (rc <= 0 && ++l->reap_tries <= REAP_TRIES) {
		if (!ev_is_active(&l->reaping)) {
			ev_timer_set(&l->reaping, REAP_EVERY_S, REAP_EVERY_S);
			ev_timer_start(loop_of(l), &l->reaping);
		}
		return true;
	}
	bury(l);
	return false;
}

static void
on_reaping(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	reap(w->data);
}

static void receive(struct moldlink *l);

void
moldlink_look(struct moldlink *l)
{
	if (!l->dead && !pidfd_gone(l->pidfd))
		return;
	if (!l->dead) {
		l->dead = true;
		ev_io_stop(loop_of(l), &l->pidfd_io);
		receive(l); /* its last words */
	}
	reap(l);
}

static void
on_pidfd(struct ev_loop *loop, ev_io *w, int revents)
{
	(void)loop;
	(void)revents;
	moldlink_look(w->data);
}

static void
copy_tail(char *out, size_t cap, const struct rfk_msg *msg)
{
	snprintf(out, cap, "%.*s", (int)msg->tail_len,
	    msg->tail != NULL ? msg->tail : "");
}

static void
settings_came(struct moldlink *l, const struct rfk_msg *msg)
{
	char why[160] = "";

	if (!l->by_boot || l->has_settings || settings_init(&l->settings) < 0) {
		moldlink_kill(l, "sent settings that nobody asked for");
		return;
	}
	l->has_settings = true;
	if (msg->u.settings.protocol != RFK_PROTOCOL) {
		moldlink_kill(l,
		    "speaks protocol %u, this reforkd speaks %u: "
		    "install both programs from one build",
		    msg->u.settings.protocol, RFK_PROTOCOL);
		return;
	}
	if (settings_decode(
		&l->settings, msg->tail, msg->tail_len, why, sizeof(why)) < 0) {
		moldlink_kill(l, "sent a setting that cannot be: %s", why);
		return;
	}
	l->settings.personality =
	    (enum rfk_personality)msg->u.settings.personality;
	l->state = MOLD_BINDING;
	/* Its own file says how long it may take, not the one in force. */
	arm(l, l->settings.boot_timeout);
	pool_mold_settings(l->pool, l);
}

static void
spawned(struct moldlink *l, const struct rfk_spawned *s, int *fds)
{
	struct child *c = l->forking;

	if (c == NULL || c->token != s->token) {
		log_error("mold gen=%u spawned pid=%d that nobody asked for",
		    l->generation, (int)s->pid);
		pidfd_signal(fds[0], SIGKILL);
		fd_close(&fds[0]);
		fd_close(&fds[1]);
		return;
	}
	l->forking = NULL;
	c->mold = NULL;
	child_spawned(c, s->pid, fds[0], fds[1]);
}

static void
not_spawned(struct moldlink *l, const struct rfk_msg *msg)
{
	struct child *c = l->forking;
	char text[512];

	copy_tail(text, sizeof(text), msg);
	if (c == NULL || c->token != msg->u.fork.token)
		return;
	log_error(
	    "worker=%u gen=%u not spawned: %s", c->slot, l->generation, text);
	l->forking = NULL;
	c->mold = NULL;
	child_event(c, LIFE_NOT_SPAWNED);
}

static void
died(struct moldlink *l, const struct rfk_died *d)
{
	struct child *c = pool_by_token(l->pool, d->token);
	struct pidfd_exit e = { .code = d->code, .status = d->status };

	if (c != NULL && c->pid == d->pid)
		child_report(c, &e);
}

static void
failed(struct moldlink *l, const struct rfk_msg *msg)
{
	char text[1000];

	copy_tail(text, sizeof(text), msg);
	fail_set(&l->why, 0, "%s", text);
	l->is_config_error = msg->u.failed.is_config != 0;
}

static void
ready(struct moldlink *l)
{
	if (l->state != MOLD_LOADING)
		return;
	l->state = MOLD_READY;
	l->ready_ms = clock_ms();
	ev_timer_stop(loop_of(l), &l->deadline);
	log_info("mold gen=%u pid=%d ready after %llums", l->generation,
	    (int)l->pid, (unsigned long long)(l->ready_ms - l->born_ms));
	pool_mold_ready(l->pool, l);
}

static void
dispatch(struct moldlink *l, const struct rfk_msg *msg, int *fds)
{
	char text[512];

	switch (msg->type) {
	case RFK_MSG_SETTINGS:
		settings_came(l, msg);
		break;
	case RFK_MSG_READY:
		ready(l);
		break;
	case RFK_MSG_SPAWNED:
		spawned(l, &msg->u.spawned, fds);
		break;
	case RFK_MSG_NOT_SPAWNED:
		not_spawned(l, msg);
		break;
	case RFK_MSG_DIED:
		died(l, &msg->u.died);
		break;
	case RFK_MSG_FAILED:
		failed(l, msg);
		break;
	case RFK_MSG_REFUSED:
		copy_tail(text, sizeof(text), msg);
		fail_set(&l->why, 0, "not fork-safe: %s", text);
		break;
	default:
		break; /* HOOKED: nobody waits for it */
	}
	pool_touch(l->pool);
}

static void
receive(struct moldlink *l)
{
	struct rfk_msg msg;
	int fds[RFK_FDS_MAX];
	int nfds, rc;

	while (l->chan != NULL) {
		rc = chan_get(l->chan, &msg, fds, &nfds);
		if (rc == 1) {
			dispatch(l, &msg, fds);
			continue;
		}
		if (rc == 0)
			return;
		drop_channel(l);
		if (rc == -EPROTO)
			moldlink_kill(l, "broke the protocol");
	}
}

void
moldlink_drain(struct moldlink *l)
{
	receive(l);
}

static void
on_channel(struct ev_loop *loop, ev_io *w, int revents)
{
	struct moldlink *l = w->data;

	(void)loop;
	if ((revents & EV_WRITE) && chan_flush(l->chan) == 0)
		watch_channel(l);
	if (revents & EV_READ)
		receive(l);
}

static struct moldlink *
link_open(struct pool *pool, uint32_t generation, pid_t pid, int take_pidfd,
    int take_chan_fd)
{
	struct moldlink *l = calloc(1, sizeof(*l));
	struct chan *chan = chan_open(take_chan_fd, RFK_MOLD);

	if (l == NULL || chan == NULL) {
		chan_close(chan);
		free(l);
		pidfd_signal(take_pidfd, SIGKILL);
		fd_close(&take_pidfd);
		return NULL;
	}
	l->pool = pool;
	l->generation = generation;
	l->pid = pid;
	l->pidfd = take_pidfd;
	l->chan = chan;
	l->born_ms = clock_ms();
	ev_io_init(&l->pidfd_io, on_pidfd, l->pidfd, EV_READ);
	ev_io_init(&l->chan_io, on_channel, chan_fd(chan), EV_READ);
	ev_timer_init(&l->deadline, on_deadline, 1., 0.);
	ev_timer_init(&l->reaping, on_reaping, REAP_EVERY_S, REAP_EVERY_S);
	l->pidfd_io.data = l->chan_io.data = l;
	l->deadline.data = l->reaping.data = l;
	ev_io_start(loop_of(l), &l->pidfd_io);
	watch_channel(l);
	return l;
}

static int
send_start(struct moldlink *l)
{
	struct rfk_msg msg = { .type = RFK_MSG_START };
	struct buf tail = BUF_INIT;
	int rc = options_encode(l->pool->master->options, &tail);

	if (rc == 0) {
		msg.u.start.protocol = RFK_PROTOCOL;
		msg.u.start.generation = l->generation;
		msg.u.start.master_pid = l->pool->master->board->master_pid;
		msg.tail = tail.data;
		msg.tail_len = (uint32_t)tail.len;
		rc = put(l, &msg, NULL, 0);
	}
	buf_fini(&tail);
	return rc;
}

struct moldlink *
moldlink_boot(struct pool *pool, uint32_t generation, struct fail *why)
{
	struct moldlink *l;
	int pidfd, chan_fd_, rc;
	pid_t pid;

	if (spawn_mold(pool->master, generation, &pid, &pidfd, &chan_fd_, why) <
	    0)
		return NULL;
	l = link_open(pool, generation, pid, pidfd, chan_fd_);
	if (l == NULL) {
		fail_set(why, ENOMEM, "no memory for a mold");
		return NULL;
	}
	l->by_boot = true;
	l->state = MOLD_EVALUATING;
	l->check_only = pool->master->options->check;
	arm(l, pool->settings.boot_timeout);
	rc = send_start(l);
	if (rc < 0)
		moldlink_kill(l, "START cannot be sent: %s", strerror(-rc));
	log_debug("mold gen=%u pid=%d booting", generation, (int)pid);
	return l;
}

struct moldlink *
moldlink_adopt(struct pool *pool, uint32_t generation, pid_t pid,
    int take_pidfd, int take_chan_fd)
{
	struct moldlink *l =
	    link_open(pool, generation, pid, take_pidfd, take_chan_fd);

	if (l == NULL)
		return NULL;
	l->state = MOLD_LOADING;
	arm(l, pool->settings.spawn_timeout);
	return l;
}

int
moldlink_fork(struct moldlink *l, struct child *c)
{
	struct rfk_msg msg = { .type = RFK_MSG_FORK };
	int rc;

	if (!moldlink_usable(l))
		return -EPIPE;
	if (l->forking != NULL)
		return -EBUSY;
	c->generation = l->generation;
	c->token = master_token(l->pool->master);
	msg.u.fork.token = c->token;
	msg.u.fork.slot = c->slot;
	msg.u.fork.row = c->row;
	msg.u.fork.generation = l->generation;
	rc = put(l, &msg, NULL, 0);
	if (rc < 0)
		return rc;
	l->forking = c;
	c->mold = l;
	return child_event(c, LIFE_FORK);
}

void
moldlink_stop(struct moldlink *l, bool run_at_exit)
{
	struct rfk_msg msg = { .type = RFK_MSG_STOP };

	if (l->dead || l->state == MOLD_STOPPING || l->state == MOLD_KILLED)
		return;
	if (l->state == MOLD_EVALUATING || l->state == MOLD_BINDING ||
	    l->state == MOLD_LOADING) {
		moldlink_kill(l, "not wanted any more");
		return;
	}
	msg.u.stop.run_at_exit = run_at_exit;
	l->state = MOLD_STOPPING;
	arm(l, STOP_MS);
	if (put(l, &msg, NULL, 0) < 0)
		moldlink_kill(l, "cannot be told to stop");
}

void
moldlink_reopen(struct moldlink *l)
{
	struct rfk_msg msg = { .type = RFK_MSG_REOPEN };

	put(l, &msg, NULL, 0);
}

void
moldlink_hook(struct moldlink *l, const struct rfk_hook *hook, const char *text)
{
	struct rfk_msg msg = { .type = RFK_MSG_HOOK };

	msg.u.hook = *hook;
	msg.tail = text;
	msg.tail_len = text != NULL ? (uint32_t)strlen(text) : 0;
	put(l, &msg, NULL, 0);
}

void
moldlink_no_listeners(struct moldlink *l)
{
	struct rfk_msg msg = { .type = RFK_MSG_CONFIGURED };

	put(l, &msg, NULL, 0);
}
