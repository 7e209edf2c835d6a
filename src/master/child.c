/*
 * A worker's life as the master leads it. libev callbacks only turn readiness
 * into events; child_event looks the pair up in lifecycle.def and performs the
 * action. Whoever holds a pointer to a child holds a slot: children are never
 * freed.
 */
#include "master/child.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/fd.h"
#include "base/log.h"
#include "ipc/board.h"
#include "ipc/chan.h"
#include "ipc/wire.h"
#include "master/master.h"

/* A dead process whose status only its mold can tell: asked again so often. */
#define REAP_EVERY_S 0.01
#define REAP_TRIES 100u

static struct ev_loop *
loop_of(const struct child *c)
{
	return c->pool->master->loop;
}

void
child_init(struct child *c, struct pool *pool, uint32_t slot, uint32_t row)
{
	memset(c, 0, sizeof(*c));
	c->pool = pool;
	c->slot = slot;
	c->row = row;
	c->pidfd = -1;
}

bool
child_lives(const struct child *c)
{
	return c->state != LIFE_VACANT;
}

bool
child_serves(const struct child *c)
{
	return c->state == LIFE_SERVING || c->state == LIFE_MOLDING;
}

const char *
child_name(const struct child *c, char *out, size_t cap)
{
	if (c->pid != 0)
		snprintf(out, cap, "worker=%u gen=%u pid=%d", c->slot,
		    c->generation, (int)c->pid);
	else
		snprintf(out, cap, "worker=%u gen=%u", c->slot, c->generation);
	return out;
}

void
child_row(const struct child *c, struct board_view *v)
{
	board_view(&c->pool->master->board->row[c->row], v);
}

static void
drop_channel(struct child *c)
{
	ev_io_stop(loop_of(c), &c->chan_io);
	chan_close(c->chan);
	c->chan = NULL;
}

/* Watches for writing only while something is queued. */
static void
watch_channel(struct child *c)
{
	int events = EV_READ | (chan_pending(c->chan) ? EV_WRITE : 0);

	ev_io_stop(loop_of(c), &c->chan_io);
	ev_io_set(&c->chan_io, chan_fd(c->chan), events);
	ev_io_start(loop_of(c), &c->chan_io);
}

static int
put(struct child *c, const struct rfk_msg *msg)
{
	int rc;

	if (c->chan == NULL)
		return -EPIPE;
	rc = chan_put(c->chan, msg, NULL, 0);
	if (rc == 0)
		watch_channel(c);
	return rc;
}

void
child_send(struct child *c, int type)
{
	struct rfk_msg msg = { .type = (enum rfk_type)type };

	if (msg.type == RFK_MSG_QUIT)
		msg.u.stop.limit_ms =
		    (uint32_t)settings_drain_ms(&c->pool->settings);
	put(c, &msg);
}

static void
arm(struct child *c, int64_t ms)
{
	ev_timer_stop(loop_of(c), &c->deadline);
	ev_timer_set(&c->deadline, (double)ms / 1e3, 0.);
	/* The loop's idea of now may be old: a stage has its whole time. */
	ev_now_update(loop_of(c));
	ev_timer_start(loop_of(c), &c->deadline);
}

static void
on_deadline(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct child *c = w->data;
	double s = w->repeat > 0 ? w->repeat : 0;

	(void)loop;
	(void)revents;
	(void)s;
	switch (c->state) {
	case LIFE_FORKING:
	case LIFE_UNWANTED:
		child_event(c, LIFE_STALE);
		break;
	case LIFE_BOOTING:
		child_kill(c, LIFE_STALE,
		    "not ready within spawn_timeout %.1fs",
		    (double)c->pool->settings.spawn_timeout / 1e3);
		break;
	case LIFE_MOLDING:
		child_kill(c, LIFE_STALE, "no answer to a promotion in %.1fs",
		    (double)c->pool->settings.spawn_timeout / 1e3);
		break;
	case LIFE_DRAINING:
		child_kill(c, LIFE_STALE, "still draining after %.1fs",
		    (double)settings_drain_ms(&c->pool->settings) / 1e3);
		break;
	default:
		break;
	}
}

void
child_kill(struct child *c, enum life_event event, const char *fmt, ...)
{
	va_list ap;

	if (c->killed_for[0] == '\0') {
		va_start(ap, fmt);
		vsnprintf(c->killed_for, sizeof(c->killed_for), fmt, ap);
		va_end(ap);
	}
	child_event(c, event);
}

/* How this life ended, for the log, the ring of deaths and the pool. */
static void
obituary(struct child *c, char *cause, size_t cap)
{
	struct deaths *deaths = &c->pool->master->deaths;
	struct death *d = deaths_next(deaths);
	struct board_view v;
	uint64_t now = clock_ms();
	char how[96], name[96];
	bool fine = c->at_once || (c->expected && pidfd_ok(&c->exit));

	child_row(c, &v);
	pidfd_exit_text(&c->exit, how, sizeof(how));
	snprintf(cause, cap, "%s%s%s", how, c->killed_for[0] ? ": " : "",
	    c->killed_for);
	d->at_s = (uint64_t)time(NULL);
	snprintf(d->role, sizeof(d->role), "worker");
	d->slot = c->slot;
	d->generation = c->generation;
	d->pid = c->pid;
	d->age_ms = now - c->forked_ms;
	snprintf(d->cause, sizeof(d->cause), "%s", cause);
	if (v.pid == c->pid) {
		d->requests = v.requests;
		if (v.unit_ms != 0 && v.work == RFK_WORK_BUSY)
			snprintf(d->request, sizeof(d->request), "%s %s %.3fs",
			    v.method, v.path, (double)(now - v.unit_ms) / 1e3);
	}
	child_name(c, name, sizeof(name));
	(fine ? log_info : log_error)(
	    "%s ended (%s), age %.1fs, %llu requests, last beat %.1fs ago%s%s",
	    name, cause, (double)d->age_ms / 1e3,
	    (unsigned long long)d->requests,
	    v.pid == c->pid ? (double)(now - v.beat_ms) / 1e3 : 0.,
	    d->request[0] ? ", during " : "", d->request);
}

static void
bury(struct child *c)
{
	char cause[sizeof(((struct death *)0)->cause)];

	ev_timer_stop(loop_of(c), &c->deadline);
	obituary(c, cause, sizeof(cause));
	fd_close(&c->pidfd);
	pool_child_gone(c->pool, c, cause); /* reads the row */
	board_row_clear(&c->pool->master->board->row[c->row]);
	child_init(c, c->pool, c->slot, c->row);
}

/* The process is dead: learns how, now or at the next try. */
static void
reap(struct child *c)
{
	int rc;

	if (!c->dead || c->pidfd < 0)
		return;
	rc = c->exit.code != 0 ? 1 : pidfd_status(c->pidfd, &c->exit);
	if (rc <= 0 && ++c->reap_tries <= REAP_TRIES) {
		if (!ev_is_active(&c->reaping)) {
			ev_timer_set(&c->reaping, REAP_EVERY_S, REAP_EVERY_S);
			ev_timer_start(loop_of(c), &c->reaping);
		}
		return;
	}
	ev_timer_stop(loop_of(c), &c->reaping);
	ev_io_stop(loop_of(c), &c->pidfd_io);
	if (c->chan != NULL)
		drop_channel(c);
	child_event(c, LIFE_EXITED);
}

static void
on_reaping(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	reap(w->data);
}

static void receive(struct child *c);

void
child_look(struct child *c)
{
	struct child seen = *c;

	if (c->pidfd < 0)
		return;
	if (!c->dead && pidfd_gone(c->pidfd)) {
		c->dead = true;
		/* A dead pidfd stays readable: watching it would spin. */
		ev_io_stop(loop_of(c), &c->pidfd_io);
		/* Its last words (EXITING, PROMOTED) are still in the channel.
		 */
		if (c->chan != NULL)
			receive(c);
	}
	if (c->pidfd == seen.pidfd)
		reap(c);
}

static void
on_pidfd(struct ev_loop *loop, ev_io *w, int revents)
{
	(void)loop;
	(void)revents;
	child_look(w->data);
}

void
child_report(struct child *c, const struct pidfd_exit *e)
{
	if (c->exit.code == 0)
		c->exit = *e;
	child_look(c);
}

/* A candidate has come: the succession takes it, or it is sent away. */
static void
promoted(struct child *c, const struct rfk_promoted *p, int *fds)
{
	struct succession *s = &c->pool->succession;
	struct moldlink *mold;

	if (s->stage != SUCCESSION_ASKED || p->token != s->token ||
	    child_event(c, LIFE_PROMOTED) < 0) {
		log_warn("pid=%d offers itself as a mold that nobody waits for",
		    (int)p->pid);
		pidfd_signal(fds[0], SIGKILL);
		fd_close(&fds[0]);
		fd_close(&fds[1]);
		return;
	}
	mold = moldlink_adopt(c->pool, p->generation, p->pid, fds[0], fds[1]);
	if (mold != NULL)
		succession_candidate(c->pool, c, mold);
}

static void
refused(struct child *c, const struct rfk_msg *msg)
{
	char text[512];

	snprintf(text, sizeof(text), "%.*s", (int)msg->tail_len,
	    msg->tail != NULL ? msg->tail : "");
	if (msg->u.promote.token != c->pool->succession.token)
		return;
	if (child_event(c, LIFE_REFUSED) == 0)
		succession_refused(c->pool, c, text);
}

static void
failed(struct child *c, const struct rfk_msg *msg)
{
	char name[96];

	snprintf(c->killed_for, sizeof(c->killed_for), "%.*s",
	    (int)msg->tail_len, msg->tail != NULL ? msg->tail : "");
	log_error(
	    "%s failed: %s", child_name(c, name, sizeof(name)), c->killed_for);
}

static void
volunteered(struct child *c, const struct rfk_volunteer *v)
{
	char why[160];

	if (!child_serves(c))
		return;
	if (v->by_hand) {
		snprintf(why, sizeof(why), "SIGUSR2 to worker=%u", c->slot);
		succession_start(
		    c->pool, SUCCESSION_REFORK, true, c->slot, why);
		return;
	}
	/* Others reach the limit while one is under way: not a new wish. */
	if (!succession_idle(c->pool) || c->generation != c->pool->generation)
		return;
	snprintf(why, sizeof(why),
	    "worker=%u has served %llu requests (refork_after)", c->slot,
	    (unsigned long long)v->requests);
	succession_start(c->pool, SUCCESSION_REFORK, false, UINT32_MAX, why);
}

static void
dispatch(struct child *c, const struct rfk_msg *msg, int *fds)
{
	switch (msg->type) {
	case RFK_MSG_READY:
		child_event(c, LIFE_READY);
		break;
	case RFK_MSG_PROMOTED:
		promoted(c, &msg->u.promoted, fds);
		break;
	case RFK_MSG_REFUSED:
		refused(c, msg);
		break;
	case RFK_MSG_VOLUNTEER:
		volunteered(c, &msg->u.volunteer);
		break;
	case RFK_MSG_EXITING:
		c->expected = true;
		break;
	case RFK_MSG_FAILED:
		failed(c, msg);
		break;
	default:
		break; /* the wire lets nothing else through */
	}
}

static void
receive(struct child *c)
{
	struct chan *chan = c->chan;
	struct rfk_msg msg;
	char name[96];
	int fds[RFK_FDS_MAX];
	int nfds, rc;

	while (c->chan == chan && chan != NULL) {
		rc = chan_get(chan, &msg, fds, &nfds);
		if (rc == 1) {
			dispatch(c, &msg, fds);
			continue;
		}
		if (rc == 0)
			return;
		if (rc == -EPROTO) {
			log_error(
			    "%s breaks the protocol: its channel is closed",
			    child_name(c, name, sizeof(name)));
			drop_channel(c);
			child_kill(c, LIFE_KILL, "broke the protocol");
			return;
		}
		drop_channel(c); /* its pidfd tells the rest */
	}
}

static void
on_channel(struct ev_loop *loop, ev_io *w, int revents)
{
	struct child *c = w->data;

	(void)loop;
	if (revents & EV_WRITE) {
		if (chan_flush(c->chan) == 0)
			watch_channel(c);
	}
	if (revents & EV_READ)
		receive(c);
}

int
child_spawned(struct child *c, pid_t pid, int take_pidfd, int take_chan_fd)
{
	struct chan *chan = chan_open(take_chan_fd, RFK_WORKER);
	int rc;

	if (chan == NULL) {
		pidfd_signal(take_pidfd, SIGKILL);
		fd_close(&take_pidfd);
		child_event(c, LIFE_NOT_SPAWNED);
		return -ENOMEM;
	}
	c->pid = pid;
	c->pidfd = take_pidfd;
	c->chan = chan;
	ev_io_init(&c->pidfd_io, on_pidfd, c->pidfd, EV_READ);
	c->pidfd_io.data = c;
	ev_io_init(&c->chan_io, on_channel, chan_fd(chan), EV_READ);
	c->chan_io.data = c;
	ev_timer_init(&c->reaping, on_reaping, REAP_EVERY_S, REAP_EVERY_S);
	c->reaping.data = c;
	rc = child_event(c, LIFE_SPAWNED);
	ev_io_start(loop_of(c), &c->pidfd_io);
	watch_channel(c);
	return rc;
}

static void
send_fork(struct child *c)
{
	c->forked_ms = clock_ms();
	ev_timer_init(&c->deadline, on_deadline, 1., 0.);
	c->deadline.data = c;
	arm(c, c->pool->settings.spawn_timeout);
}

static void
send_promote(struct child *c)
{
	struct succession *s = &c->pool->succession;
	struct rfk_msg msg = { .type = RFK_MSG_PROMOTE };

	msg.u.promote.token = s->token;
	msg.u.promote.generation = s->generation;
	msg.u.promote.force = s->by_hand;
	put(c, &msg);
	arm(c, c->pool->settings.spawn_timeout);
}

/* Past its units' own timeouts there is one for the whole drain. */
static void
send_quit(struct child *c)
{
	c->expected = true;
	c->drain_ms = clock_ms();
	child_send(c, RFK_MSG_QUIT);
	arm(c, settings_drain_ms(&c->pool->settings) + 1000);
}

static void
serve(struct child *c)
{
	char name[96];

	ev_timer_stop(loop_of(c), &c->deadline);
	c->ready_ms = clock_ms();
	log_info("%s ready after %llums", child_name(c, name, sizeof(name)),
	    (unsigned long long)(c->ready_ms - c->forked_ms));
	pool_child_ready(c->pool, c);
}

static void
kill_mold(struct child *c)
{
	arm(c, c->pool->settings.spawn_timeout);
	if (c->mold != NULL)
		moldlink_kill(c->mold,
		    "no answer to FORK of worker=%u in %.1fs", c->slot,
		    (double)c->pool->settings.spawn_timeout / 1e3);
}

static void
act(struct child *c, enum life_action action)
{
	switch (action) {
	case LIFE_DO_NOTHING:
		break;
	case LIFE_DO_SEND_FORK:
		send_fork(c);
		break;
	case LIFE_DO_ADOPT:
		arm(c, c->pool->settings.spawn_timeout);
		break;
	case LIFE_DO_ADOPT_AND_QUIT:
	case LIFE_DO_SEND_QUIT:
		send_quit(c);
		break;
	case LIFE_DO_FORGET:
		ev_timer_stop(loop_of(c), &c->deadline);
		pool_child_gone(c->pool, c, NULL);
		child_init(c, c->pool, c->slot, c->row);
		break;
	case LIFE_DO_KILL_MOLD:
		kill_mold(c);
		break;
	case LIFE_DO_SERVE:
		serve(c);
		break;
	case LIFE_DO_SEND_KILL:
		ev_timer_stop(loop_of(c), &c->deadline);
		pidfd_signal(c->pidfd, SIGKILL);
		break;
	case LIFE_DO_SEND_PROMOTE:
		send_promote(c);
		break;
	case LIFE_DO_TAKE_CANDIDATE:
	case LIFE_DO_NOTE_REFUSAL:
		if (c->state == LIFE_SERVING)
			ev_timer_stop(loop_of(c), &c->deadline);
		break;
	case LIFE_DO_BURY:
		bury(c);
		break;
	}
}

int
child_event(struct child *c, enum life_event event)
{
	const struct life_move *move = lifecycle_move(c->state, event);
	char name[96];

	if (move == NULL) {
		log_error("%s: no row for %s in state %s",
		    child_name(c, name, sizeof(name)),
		    lifecycle_event_name(event),
		    lifecycle_state_name(c->state));
		return -EPROTO;
	}
	c->state = move->next;
	act(c, move->action);
	pool_touch(c->pool);
	return 0;
}
