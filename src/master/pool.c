/*
 * What should be (wanted workers, one generation) against what is. Every event
 * only touches the pool; pool_reconcile does the next thing until nothing is
 * left to do.
 */
#include "master/pool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "ipc/board.h"
#include "master/failures.h"
#include "master/lastcall.h"
#include "master/leases.h"
#include "master/master.h"
#include "master/memory.h"
#include "master/outcome.h"
#include "master/pools.h"
#include "master/refork.h"
#include "master/rollout.h"
#include "master/service.h"

#define PASSES 64

int
pool_init(struct pool *p, struct master *m, uint32_t index, const char *name)
{
	memset(p, 0, sizeof(*p));
	p->master = m;
	p->index = index;
	snprintf(p->name, sizeof(p->name), "%s", name);
	if (!pool_is_default(p))
		snprintf(p->label, sizeof(p->label), "pool=%s ", p->name);
	p->row = &m->board->row[p->index * RFK_ROWS_MAX];
	/* Untouched until a slot is used: calloc of this size maps zero pages.
	 */
	p->children = calloc(RFK_ROWS_MAX, sizeof(struct child));
	if (p->children == NULL)
		return -ENOMEM;
	failures_init(p);
	pool_dropping_init(p);
	keys_init(p);
	p->state_fd = -1;
	succession_init(p);
	p->memory = memory_open(p);
	if (p->memory == NULL)
		return -ENOMEM;
	hooks_init(p);
	return settings_init(&p->settings);
}

void
pool_fini(struct pool *p)
{
	hooks_fini(p);
	ev_timer_stop(p->master->loop, &p->backoff);
	ev_timer_stop(p->master->loop, &p->dropping);
	succession_fini(p);
	keys_fini(p);
	memory_close(p->memory);
	p->memory = NULL;
	fd_close(&p->state_fd);
	listeners_close(&p->listeners);
	listeners_close(&p->dropped);
	listeners_undo(&p->next_listeners);
	settings_fini(&p->settings);
	buf_fini(&p->block);
	free(p->children);
	p->children = NULL;
}

void
pool_touch(struct pool *p)
{
	p->dirty = true;
}

bool
pool_is_default(const struct pool *p)
{
	return p->index == 0;
}

bool
pool_is_stopping(const struct pool *p)
{
	return p->is_leaving || p->master->phase >= MASTER_STOPPING;
}

uint32_t
pool_board_row(const struct pool *p, uint32_t row)
{
	return p->index * RFK_ROWS_MAX + row;
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

	if (spares_kept(p)) {
		spares_step(p);
		return;
	}
	for (slot = p->wanted; slot < p->slots; slot++)
		quit_slot(p, slot);
	for (slot = 0; slot < p->wanted; slot++) {
		if (occupied(p, slot) || p->done[slot])
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
	if (!p->is_settled) {
		if (keys_may_boot(p))
			pools_boot(p);
		return;
	}
	succession_start(
	    p, SUCCESSION_RECOVER, false, UINT32_MAX, "the mold is gone");
}

/* The workers first, then the molds; pools.c looks who has ended. */
static void
stop_step(struct pool *p)
{
	struct moldlink *l;
	uint32_t slot;
	size_t i;
	bool any = false;

	for (slot = 0; slot < p->slots; slot++)
		quit_slot(p, slot);
	for (i = 0; i < POOL_MOLDS; i++) {
		l = pool_mold_at(p, i);
		if (l == NULL)
			continue;
		any = true;
		if (l != p->mold || (pool_alive(p) == 0 && hooks_idle(p)))
			moldlink_stop(l, l == p->mold);
	}
	p->has_ended = !any && pool_alive(p) == 0;
}

static void
say_ready(struct pool *p)
{
	uint32_t slot;

	if (p->serving || !p->is_settled || p->master->phase != MASTER_SERVING)
		return;
	if (spares_kept(p) && !spares_ready(p))
		return;
	for (slot = 0; slot < p->wanted && !spares_kept(p); slot++)
		if (pool_serving(p, slot) == NULL && !p->done[slot])
			return;
	p->serving = true;
	pools_say_ready(p->master);
}

int
pool_encode(const struct pool *p, struct buf *out)
{
	const char *name = keys_name(p);
	int rc = 0;

	/* The default pool's mold is told nothing of it. */
	if (strcmp(name, p->master->pool.name) != 0) {
		rc = buf_printf(out, "pool=%s", name);
		if (rc == 0)
			rc = buf_put(out, "", 1);
	}
	return rc == 0 && p->keyed.of != NULL ? keys_encode(p, out) : rc;
}

void
pool_reconcile(struct pool *p)
{
	int pass;

	for (pass = 0; p->dirty && pass < PASSES; pass++) {
		p->dirty = false;
		if (pool_is_stopping(p)) {
			stop_step(p);
			continue;
		}
		if (service_is(p)) {
			service_step(p);
			continue;
		}
		succession_step(p);
		refill(p);
		recover_mold(p);
		recycle_step(p);
		say_ready(p);
	}
}

/* A listener that the canary has not got is cut off before its elder goes. */
void
pool_child_ready(struct pool *p, struct child *c)
{
	const struct moldlink *next = p->succession.next;
	const struct rfk_settings_table *s =
	    c->is_canary && next != NULL && next->has_settings ? &next->settings
							       : &p->settings;

	failures_none(p);
	oom_set(&p->master->oom, s, OOM_WORKER, c->process.pid);
	if (!c->is_canary ||
	    !listeners_drop_some(&p->listeners, &p->next_listeners))
		pool_elder_quit(p, c->slot);
	rollout_child_ready(p, c);
}

void
pool_child_gone(struct pool *p, struct child *c, const char *cause)
{
	failures_child_gone(p, c, cause != NULL);
	if (cause != NULL) {
		if (p->settings.kind == RFK_KIND_RUN)
			tasks_ended(p, c);
		hooks_worker_exit(p, c);
	}
	succession_child_gone(p, c, cause != NULL ? cause : "was not made");
}

void
pool_scale(struct pool *p, uint32_t wanted, const char *why)
{
	if (p->settings.kind == RFK_KIND_NONE)
		wanted = 0; /* only other pools have work */
	if (keys_is_pattern(p))
		wanted = 0;
	if (wanted > RFK_SLOTS_MAX)
		wanted = RFK_SLOTS_MAX;
	if (why != NULL && wanted != p->wanted)
		log_info("%sworkers: %u -> %u (%s)", p->label, p->wanted,
		    wanted, why);
	p->wanted = wanted;
	p->master->board->pool[p->index].workers = wanted;
	pool_use_slots(p, wanted);
	pool_touch(p);
}

/*
 * Who is being forked or booted now has the old files and no channel yet, or
 * reads none: by the count each is told as soon as it can hear it.
 */
void
pool_reopen(struct pool *p)
{
	struct moldlink *l;
	uint32_t i;

	p->reopens++;
	for (i = 0; i < POOL_MOLDS; i++) {
		l = pool_mold_at(p, i);
		if (moldlink_usable(l))
			moldlink_reopen(l);
	}
	for (i = 0; i < 2 * p->slots; i++)
		if (p->children[i].process.chan != NULL)
			child_send(&p->children[i], RFK_MSG_REOPEN);
}

/*
 * Graceful: nobody new is let in, the copies of the listeners in master and
 * molds go, and the workers answer what is queued.
 */
void
pool_stop(struct pool *p, bool graceful)
{
	struct moldlink *l;
	uint32_t i;

	if (graceful)
		lastcall_begin(p);
	lease_refuse_waiting(p, "stopping", "the pool is stopping");
	outcome_cancel(p, p->is_leaving ? "the pool is not wanted any more"
					: "reforkd is stopping");
	for (i = 0; i < POOL_MOLDS; i++) {
		l = pool_mold_at(p, i);
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
