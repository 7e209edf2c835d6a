/*
 * What should be (wanted workers, one generation) against what is. Every event
 * only touches the pool; pool_reconcile does the next thing until nothing is
 * left to do.
 */
#include "master/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "ipc/board.h"
#include "ipc/chan.h"
#include "master/master.h"
#include "master/print.h"
#include "master/refork.h"

/* A worker that ends sooner, without a request, has failed. */
#define EARLY_MS 5000u
#define PASSES 64

static void
on_backoff(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	pool_touch(w->data);
}

int
pool_init(struct pool *p, struct master *m, const char *name)
{
	memset(p, 0, sizeof(*p));
	p->master = m;
	snprintf(p->name, sizeof(p->name), "%s", name);
	/* Untouched until a slot is used: calloc of this size maps zero pages.
	 */
	p->children = calloc(RFK_ROWS_MAX, sizeof(struct child));
	if (p->children == NULL)
		return -ENOMEM;
	ev_timer_init(&p->backoff, on_backoff, 1., 0.);
	p->backoff.data = p;
	succession_init(p);
	return settings_init(&p->settings);
}

void
pool_fini(struct pool *p)
{
	succession_fini(p);
	listeners_close(&p->listeners);
	listeners_undo(&p->next_listeners);
	settings_fini(&p->settings);
	free(p->children);
	p->children = NULL;
}

void
pool_touch(struct pool *p)
{
	p->dirty = true;
}

struct child *
pool_child(struct pool *p, uint32_t slot, int which)
{
	return &p->children[2 * slot + (uint32_t)which];
}

static void
use_slots(struct pool *p, uint32_t n)
{
	for (; p->slots < n && p->slots < RFK_SLOTS_MAX; p->slots++) {
		child_init(
		    pool_child(p, p->slots, 0), p, p->slots, 2 * p->slots);
		child_init(
		    pool_child(p, p->slots, 1), p, p->slots, 2 * p->slots + 1);
	}
}

struct child *
pool_serving(struct pool *p, uint32_t slot)
{
	struct child *a = pool_child(p, slot, 0);
	struct child *b = pool_child(p, slot, 1);

	if (child_serves(a) && child_serves(b))
		return a->ready_ms > b->ready_ms ? a : b;
	if (child_serves(a))
		return a;
	return child_serves(b) ? b : NULL;
}

struct child *
pool_vacant(struct pool *p, uint32_t slot)
{
	struct child *a = pool_child(p, slot, 0);

	if (!child_lives(a))
		return a;
	a = pool_child(p, slot, 1);
	return child_lives(a) ? NULL : a;
}

struct child *
pool_by_token(struct pool *p, uint64_t token)
{
	uint32_t i;

	for (i = 0; i < 2 * p->slots; i++)
		if (child_lives(&p->children[i]) &&
		    p->children[i].token == token)
			return &p->children[i];
	return NULL;
}

struct child *
pool_by_pid(struct pool *p, pid_t pid)
{
	uint32_t i;

	for (i = 0; i < 2 * p->slots; i++)
		if (p->children[i].pidfd >= 0 && p->children[i].pid == pid)
			return &p->children[i];
	return NULL;
}

/* i counts over the current mold, the next one and the retired ones. */
static struct moldlink *
mold_at(struct pool *p, size_t i)
{
	if (i == 0)
		return p->mold;
	if (i == 1)
		return p->succession.next;
	return p->old[i - 2];
}

#define MOLDS (POOL_OLD_MOLDS + 2)

struct moldlink *
pool_mold_by_pid(struct pool *p, pid_t pid)
{
	struct moldlink *l;
	size_t i;

	for (i = 0; i < MOLDS; i++) {
		l = mold_at(p, i);
		if (l != NULL && l->pid == pid)
			return l;
	}
	return NULL;
}

void
pool_drain_molds(struct pool *p)
{
	struct moldlink *l;
	size_t i;

	for (i = 0; i < MOLDS; i++) {
		l = mold_at(p, i);
		if (l != NULL)
			moldlink_drain(l);
	}
}

uint32_t
pool_count(struct pool *p, enum life_state state)
{
	uint32_t i, n = 0;

	for (i = 0; i < 2 * p->slots; i++)
		n += p->children[i].state == state;
	return n;
}

uint32_t
pool_alive(struct pool *p)
{
	return 2 * p->slots - pool_count(p, LIFE_VACANT);
}

void
pool_failed(struct pool *p)
{
	uint64_t wait = refork_backoff_ms(++p->failures);

	if (wait == 0)
		return;
	p->not_before_ms = clock_ms() + wait;
	log_warn("%u workers in a row were of no use: the next one in %.1fs",
	    p->failures, (double)wait / 1e3);
}

bool
pool_backs_off(struct pool *p)
{
	uint64_t now = clock_ms();
	struct ev_loop *loop = p->master->loop;

	if (now >= p->not_before_ms)
		return false;
	if (!ev_is_active(&p->backoff)) {
		ev_timer_set(&p->backoff,
		    (double)(p->not_before_ms - now + 1) / 1e3, 0.);
		ev_now_update(loop);
		ev_timer_start(loop, &p->backoff);
	}
	return true;
}

static bool
occupied(struct pool *p, uint32_t slot)
{
	int which;

	for (which = 0; which < 2; which++)
		switch (pool_child(p, slot, which)->state) {
		case LIFE_FORKING:
		case LIFE_BOOTING:
		case LIFE_SERVING:
		case LIFE_MOLDING:
			return true;
		default:
			break;
		}
	return false;
}

static void
quit_slot(struct pool *p, uint32_t slot)
{
	struct child *c;
	int which;

	for (which = 0; which < 2; which++) {
		c = pool_child(p, slot, which);
		if (child_lives(c) && c->state != LIFE_DRAINING &&
		    c->state != LIFE_KILLED && c->state != LIFE_UNWANTED)
			child_event(c, LIFE_QUIT);
	}
}

/* Wanted slots without a worker get one; unwanted workers go. */
static void
refill(struct pool *p)
{
	struct child *c;
	uint32_t slot;

	for (slot = p->wanted; slot < p->slots; slot++)
		quit_slot(p, slot);
	for (slot = 0; slot < p->wanted; slot++) {
		if (occupied(p, slot))
			continue;
		if (!moldlink_usable(p->mold) || p->mold->forking != NULL)
			return;
		if (pool_backs_off(p))
			return;
		c = pool_vacant(p, slot);
		if (c != NULL)
			moldlink_fork(p->mold, c);
	}
}

static void
recover_mold(struct pool *p)
{
	if (p->mold != NULL || p->master->phase != MASTER_SERVING ||
	    !succession_idle(p) || pool_backs_off(p))
		return;
	succession_start(
	    p, SUCCESSION_RECOVER, false, UINT32_MAX, "the mold is gone");
}

/* Full stop: the workers first, then the molds, then the loop ends. */
static void
stop_step(struct pool *p)
{
	struct moldlink *l;
	uint32_t slot;
	size_t i;
	bool any = false;

	for (slot = 0; slot < p->slots; slot++)
		quit_slot(p, slot);
	for (i = 0; i < MOLDS; i++) {
		l = mold_at(p, i);
		if (l == NULL)
			continue;
		any = true;
		if (pool_alive(p) == 0 || l != p->mold)
			moldlink_stop(l, l == p->mold);
	}
	if (!any && pool_alive(p) == 0)
		ev_break(p->master->loop, EVBREAK_ALL);
}

static void
say_ready(struct pool *p)
{
	uint32_t slot;

	if (p->serving || p->master->phase != MASTER_SERVING)
		return;
	for (slot = 0; slot < p->wanted; slot++)
		if (pool_serving(p, slot) == NULL)
			return;
	p->serving = true;
	master_says_ready(p->master);
}

void
pool_reconcile(struct pool *p)
{
	int pass;

	for (pass = 0; p->dirty && pass < PASSES; pass++) {
		p->dirty = false;
		if (p->master->phase >= MASTER_STOPPING) {
			stop_step(p);
			continue;
		}
		succession_step(p);
		refill(p);
		recover_mold(p);
		say_ready(p);
	}
}

/* The slot's older worker goes when its successor is READY, not before. */
void
pool_child_ready(struct pool *p, struct child *c)
{
	struct child *sibling = pool_child(p, c->slot, (int)(1 - (c->row & 1)));

	if (child_serves(sibling))
		child_event(sibling, LIFE_QUIT);
	succession_child_ready(p, c);
}

static void
tell_hook(struct pool *p, const struct child *c)
{
	struct rfk_hook hook = { .name = RFK_HOOK_AFTER_WORKER_EXIT };

	if (!p->settings.has_after_worker_exit)
		return;
	if (!moldlink_usable(p->mold)) {
		log_warn(
		    "after_worker_exit of worker=%u skipped: no mold", c->slot);
		return;
	}
	hook.slot = c->slot;
	hook.generation = c->generation;
	hook.pid = c->pid;
	hook.code = c->exit.code;
	hook.status = c->exit.status;
	moldlink_hook(p->mold, &hook, NULL);
}

void
pool_child_gone(struct pool *p, struct child *c, const char *cause)
{
	struct board_view v;
	bool useful;

	if (cause != NULL) {
		child_row(c, &v);
		useful = v.pid == c->pid && v.requests > 0;
		if (useful || clock_ms() - c->forked_ms > EARLY_MS)
			p->failures = 0;
		else if (c->drain_ms == 0 && p->master->phase < MASTER_STOPPING)
			pool_failed(p);
		tell_hook(p, c);
	}
	succession_child_gone(p, c, cause != NULL ? cause : "was not made");
}

static int
send_configured(struct pool *p, struct moldlink *l)
{
	struct rfk_msg msg = { .type = RFK_MSG_CONFIGURED };
	int fds[RFK_LISTENERS_MAX];
	size_t i;

	for (i = 0; i < p->next_listeners.n; i++) {
		fds[i] = fcntl(p->next_listeners.at[i].fd, F_DUPFD_CLOEXEC, 3);
		if (fds[i] < 0) {
			int rc = -errno;

			while (i-- > 0)
				fd_close(&fds[i]);
			return rc;
		}
	}
	msg.u.configured.listeners = (uint32_t)p->next_listeners.n;
	return chan_put(l->chan, &msg, fds, (int)p->next_listeners.n);
}

static void
on_binding(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct moldlink *l = w->data;

	(void)loop;
	(void)revents;
	pool_mold_settings(l->pool, l);
}

/* Its SETTINGS have come: what may fail happens now (DESIGN 3). */
void
pool_mold_settings(struct pool *p, struct moldlink *l)
{
	struct master *m = p->master;
	struct fail why = FAIL_INIT;
	int delay_ms = 0, rc = 0;

	if (l->check_only) {
		print_settings(&l->settings);
		return;
	}
	if (m->phase == MASTER_BOOTING && p->bind_tries == 0)
		rc = master_apply(m, &l->settings, &why);
	if (rc == 0)
		rc = listeners_bind(&p->listeners, &p->next_listeners,
		    &l->settings, &p->bind_tries, &delay_ms, &why);
	if (rc == -EAGAIN) {
		ev_timer_init(&l->binding, on_binding, delay_ms / 1e3, 0.);
		l->binding.data = l;
		ev_timer_start(m->loop, &l->binding);
		return;
	}
	if (rc == 0)
		rc = send_configured(p, l);
	if (rc < 0) {
		l->is_config_error = true;
		moldlink_kill(l, "%s", why.text[0] ? why.text : strerror(-rc));
		return;
	}
	p->bind_tries = 0;
	l->state = MOLD_LOADING;
}

void
pool_discard(struct pool *p, struct moldlink *l)
{
	size_t i;

	for (i = 0; i < POOL_OLD_MOLDS; i++)
		if (p->old[i] == NULL)
			break;
	if (i == POOL_OLD_MOLDS) {
		moldlink_kill(p->old[0], "too many retired molds");
		i = 0; /* its pidfd still buries it */
	}
	p->old[i] = l;
	moldlink_stop(l, false);
}

/* What cannot be undone, when the next mold's settings come into force. */
static void
take_settings(struct pool *p, struct moldlink *l)
{
	struct fail why = FAIL_INIT;
	bool reload = p->master->phase != MASTER_BOOTING;

	listeners_commit(&p->listeners, &p->next_listeners);
	settings_fini(&p->settings);
	p->settings = l->settings;
	l->has_settings = false;
	if (reload && master_apply(p->master, &p->settings, &why) < 0)
		log_error("%s", why.text);
	if (!reload || p->succession.kind == SUCCESSION_RELOAD)
		pool_scale(p, (uint32_t)p->settings.worker_processes, NULL);
}

void
pool_install(struct pool *p, struct moldlink *l)
{
	struct rfk_board *board = p->master->board;

	if (l->has_settings)
		take_settings(p, l);
	if (p->mold != NULL) {
		log_info("terminating old mold gen=%u pid=%d",
		    p->mold->generation, (int)p->mold->pid);
		pool_discard(p, p->mold);
	}
	p->mold = l;
	p->generation = l->generation;
	if (p->last_generation < l->generation)
		p->last_generation = l->generation;
	board->generation = l->generation;
	p->boot_failures = 0;
	master_title(p->master);
	pool_touch(p);
}

void
pool_mold_ready(struct pool *p, struct moldlink *l)
{
	if (p->succession.next == l) {
		succession_mold_ready(p, l);
		return;
	}
	if (p->mold != l)
		return;
	/* The first mold: it is its own generation's, nothing to replace. */
	p->mold = NULL;
	pool_install(p, l);
	p->master->phase = MASTER_SERVING;
	watchdog_start(p->master);
}

void
pool_mold_gone(struct pool *p, struct moldlink *l, const char *cause)
{
	size_t i;

	for (i = 0; i < POOL_OLD_MOLDS; i++)
		if (p->old[i] == l)
			p->old[i] = NULL;
	pool_touch(p);
	if (p->succession.next == l) {
		succession_mold_gone(p, l, cause);
		return;
	}
	if (p->mold != l)
		return;
	p->mold = NULL;
	if (p->master->phase == MASTER_BOOTING) {
		listeners_undo(&p->next_listeners);
		if (l->check_only && l->exit.code == CLD_EXITED)
			master_fail(p->master, l->exit.status);
		else {
			if (!l->is_config_error)
				log_fatal("the initial mold failed to boot "
					  "(%s)",
				    cause);
			master_fail(p->master, 1);
		}
		if (l->is_config_error)
			print_error(p->master->options, l->why.text);
		return;
	}
	if (p->master->phase == MASTER_SERVING)
		log_warn("the mold is gone, its workers go on");
}

void
pool_scale(struct pool *p, uint32_t wanted, const char *why)
{
	if (wanted > RFK_SLOTS_MAX)
		wanted = RFK_SLOTS_MAX;
	if (why != NULL && wanted != p->wanted)
		log_info("workers: %u -> %u (%s)", p->wanted, wanted, why);
	p->wanted = wanted;
	p->master->board->workers = wanted;
	use_slots(p, wanted);
	pool_touch(p);
}

void
pool_reopen(struct pool *p)
{
	struct moldlink *l;
	uint32_t i;

	for (i = 0; i < MOLDS; i++) {
		l = mold_at(p, i);
		if (moldlink_usable(l))
			moldlink_reopen(l);
	}
	for (i = 0; i < 2 * p->slots; i++)
		if (p->children[i].chan != NULL)
			child_send(&p->children[i], RFK_MSG_REOPEN);
}

/*
 * Graceful: first the copies of the listeners in master and molds go, so that
 * the workers' copies are the last, then each drains what is queued.
 */
void
pool_stop(struct pool *p, bool graceful)
{
	struct moldlink *l;
	uint32_t i;

	succession_cancel(p, "reforkd is stopping");
	for (i = 0; i < MOLDS; i++) {
		l = mold_at(p, i);
		if (moldlink_usable(l))
			moldlink_no_listeners(l);
	}
	listeners_close(&p->listeners);
	listeners_undo(&p->next_listeners);
	for (i = 0; i < 2 * p->slots && !graceful; i++) {
		if (!child_lives(&p->children[i]))
			continue;
		p->children[i].at_once = true;
		child_kill(&p->children[i], LIFE_KILL, "immediate stop");
	}
	pool_touch(p);
}
