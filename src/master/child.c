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

#include "base/clock.h"
#include "base/log.h"
#include "ipc/board.h"
#include "master/handover.h"
#include "master/hear.h"
#include "master/leases.h"
#include "master/master.h"
#include "master/obituary.h"
#include "master/rollout.h"
#include "master/service.h"
#include "master/words.h"

static const struct process_calls calls;

void
child_init(struct child *c, struct pool *pool, uint32_t slot, uint32_t row)
{
	memset(c, 0, sizeof(*c));
	c->pool = pool;
	c->slot = slot;
	c->row = row;
	process_init(&c->process, pool->master, c, &calls);
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
	const char *pool = c->pool->label;

	if (service_is(c->pool)) {
		snprintf(out, cap, "service gen=%u pid=%d", c->generation,
		    (int)c->process.pid);
		return out;
	}
	if (c->process.pid != 0)
		snprintf(out, cap, "%sworker=%u gen=%u pid=%d", pool, c->slot,
		    c->generation, (int)c->process.pid);
	else
		snprintf(out, cap, "%sworker=%u gen=%u", pool, c->slot,
		    c->generation);
	return out;
}

void
child_row(const struct child *c, struct board_view *v)
{
	board_view(&c->pool->row[c->row], v);
}

void
child_send(struct child *c, int type)
{
	struct rfk_msg msg = { .type = (enum rfk_type)type };

	if (msg.type == RFK_MSG_QUIT)
		msg.u.stop.limit_ms =
		    (uint32_t)settings_drain_ms(&c->pool->settings);
	process_put(&c->process, &msg, NULL, 0);
}

int
child_ask(struct child *c, const struct rfk_ask *ask)
{
	struct rfk_msg msg = { .type = RFK_MSG_ASK };

	msg.u.ask = *ask;
	return process_put(&c->process, &msg, NULL, 0);
}

static bool
loads(const struct child *c)
{
	const struct rfk_settings_table *s = &c->pool->settings;

	return s->preload_app == 0 || s->worker_exec != 0;
}

/* A worker that loads the application has a mold's time. */
static int64_t
boot_limit(const struct child *c)
{
	const struct rfk_settings_table *s = &c->pool->settings;

	return loads(c) ? s->boot_timeout : s->spawn_timeout;
}

/*
 * Its unit's deadline was moved beyond the drain's: whoever else lets it drain
 * waits for it, but not a full stop.
 */
static bool
has_more_time(struct child *c)
{
	uint64_t now_ms = clock_ms();
	struct board_view v;

	child_row(c, &v);
	if (pool_is_stopping(c->pool) || v.pid != c->process.pid ||
	    v.work != RFK_WORK_BUSY || v.deadline_ms <= now_ms ||
	    v.deadline_ms - v.unit_ms <= (uint64_t)c->pool->settings.timeout)
		return false;
	process_arm(&c->process, (int64_t)(v.deadline_ms - now_ms) + 1000);
	return true;
}

static void
on_late(void *owner)
{
	struct child *c = owner;

	switch (c->state) {
	case LIFE_FORKING:
	case LIFE_UNWANTED:
		child_event(c, LIFE_STALE);
		break;
	case LIFE_BOOTING:
		child_kill(c, LIFE_STALE, "not ready within %s %.1fs",
		    loads(c) ? "boot_timeout" : "spawn_timeout",
		    (double)boot_limit(c) / 1e3);
		break;
	case LIFE_MOLDING:
		child_kill(c, LIFE_STALE, "no answer to a promotion in %.1fs",
		    (double)c->pool->settings.spawn_timeout / 1e3);
		break;
	case LIFE_KILLED:
		child_event(c, LIFE_STALE);
		break;
	case LIFE_DRAINING:
		if (has_more_time(c))
			break;
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

static void
bury(struct child *c)
{
	char cause[sizeof(((struct death *)0)->cause)];

	obituary_child(c, cause, sizeof(cause));
	words_reaped(c);
	process_close(&c->process);
	pool_child_gone(c->pool, c, cause); /* reads the row */
	lease_child_gone(c, &c->process.exit);
	board_row_clear(&c->pool->row[c->row]);
	child_init(c, c->pool, c->slot, c->row);
}

static void
on_gone(void *owner)
{
	child_event(owner, LIFE_EXITED);
}

static void
on_message(void *owner, const struct rfk_msg *msg, int *take_fds)
{
	hear_worker(owner, msg, take_fds);
}

static void
on_broken(void *owner)
{
	char name[96];

	log_error("%s breaks the protocol: its channel is closed",
	    child_name(owner, name, sizeof(name)));
	child_kill(owner, LIFE_KILL, "broke the protocol");
}

static const struct process_calls calls = {
	.message = on_message,
	.broken = on_broken,
	.late = on_late,
	.gone = on_gone,
};

int
child_spawned(struct child *c, pid_t pid, int take_pidfd, int take_chan_fd)
{
	int rc = process_open(
	    &c->process, RFK_WORKER, pid, take_pidfd, take_chan_fd);

	if (rc < 0) {
		child_event(c, LIFE_NOT_SPAWNED);
		return rc;
	}
	words_spawned(c);
	if (c->reopens != c->pool->reopens)
		child_send(c, RFK_MSG_REOPEN);
	return child_event(c, LIFE_SPAWNED);
}

int
child_resume(struct child *c, const struct handover_process *from)
{
	int rc = process_open(&c->process, RFK_WORKER, (pid_t)from->pid,
	    (int)from->pidfd, (int)from->chan);

	if (rc < 0)
		return rc;
	c->state = c->was =
	    from->state == LIFE_DRAINING ? LIFE_DRAINING : LIFE_SERVING;
	c->generation = (uint32_t)from->generation;
	c->token = (uint64_t)from->token;
	c->reopens = (unsigned int)from->reopens;
	c->expected = from->expected != 0;
	c->forked_ms = (uint64_t)from->since_ms;
	c->ready_ms = (uint64_t)from->ready_ms;
	c->drain_ms = (uint64_t)from->drain_ms;
	if (c->state == LIFE_DRAINING)
		process_arm(
		    &c->process, settings_drain_ms(&c->pool->settings) + 1000);
	return 0;
}

static void
send_fork(struct child *c)
{
	c->forked_ms = clock_ms();
	c->reopens = c->pool->reopens;
	process_arm(&c->process, c->pool->settings.spawn_timeout);
}

static void
send_promote(struct child *c)
{
	struct succession *s = &c->pool->succession;
	struct rfk_msg msg = { .type = RFK_MSG_PROMOTE };

	msg.u.promote.token = s->token;
	msg.u.promote.generation = s->generation;
	msg.u.promote.force = s->by_hand;
	c->reopens = c->pool->reopens;
	process_put(&c->process, &msg, NULL, 0);
	process_arm(&c->process, c->pool->settings.spawn_timeout);
}

/* Past its units' own timeouts there is one for the whole drain. */
static void
send_quit(struct child *c)
{
	c->expected = true;
	c->drain_ms = clock_ms();
	child_send(c, RFK_MSG_QUIT);
	rollout_child_quits(c);
	lease_child_quits(c, (uint64_t)settings_drain_ms(&c->pool->settings));
	words_replaced(c);
	process_arm(&c->process, settings_drain_ms(&c->pool->settings) + 1000);
}

static void
serve(struct child *c)
{
	process_disarm(&c->process);
	c->ready_ms = clock_ms();
	words_ready(c);
	pool_child_ready(c->pool, c);
}

static void
kill_mold(struct child *c)
{
	process_arm(&c->process, c->pool->settings.spawn_timeout);
	if (c->mold != NULL)
		moldlink_kill(c->mold,
		    "no answer to FORK of worker=%u in %.1fs", c->slot,
		    (double)c->pool->settings.spawn_timeout / 1e3);
}

/*
 * unicorn and pitchfork end their workers with TERM or INT, and so with status
 * 0; who is still there at the limit of the stop is killed.
 */
static void
end(struct child *c)
{
	enum rfk_personality whose = c->pool->settings.personality;

	if (overdue_holds(c))
		return;
	if (c->at_once && !c->told_to_end && whose != RFK_NATIVE) {
		c->told_to_end = true;
		pidfd_signal(
		    c->process.pidfd, whose == RFK_UNICORN ? SIGTERM : SIGINT);
		return;
	}
	process_kill(&c->process);
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
		process_arm(&c->process, boot_limit(c));
		break;
	case LIFE_DO_ADOPT_AND_QUIT:
	case LIFE_DO_SEND_QUIT:
		send_quit(c);
		break;
	case LIFE_DO_FORGET:
		process_disarm(&c->process);
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
		process_disarm(&c->process);
		end(c);
		break;
	case LIFE_DO_SEND_PROMOTE:
		send_promote(c);
		break;
	case LIFE_DO_TAKE_CANDIDATE:
	case LIFE_DO_NOTE_REFUSAL:
		if (c->state == LIFE_SERVING)
			process_disarm(&c->process);
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
	if (c->state != LIFE_KILLED)
		c->was = c->state;
	c->state = move->next;
	act(c, move->action);
	pool_touch(c->pool);
	return 0;
}
