/*
 * Worker by worker to the next generation. Until the canary serves nothing of
 * the old one has been given up but the canary's own slot.
 */
#include "master/rollout.h"

#include <errno.h>

#include "base/clock.h"
#include "base/log.h"
#include "ipc/board.h"
#include "master/choice.h"
#include "master/leases.h"
#include "master/master.h"
#include "master/outcome.h"

#define CANARY_LOOK_S 0.02

void
rollout_end(struct pool *p)
{
	ev_timer_stop(p->master->loop, &p->succession.canary_time);
}

void
rollout_begin(struct pool *p)
{
	struct succession *s = &p->succession;
	struct moldlink *next = s->next;

	rollout_end(p);
	s->next = NULL;
	s->canary = NULL;
	s->stage = SUCCESSION_ROLLING;
	pool_install(p, next);
}

static void
on_canary(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct pool *p = w->data;
	struct succession *s = &p->succession;
	struct board_view row;

	(void)loop;
	(void)revents;
	if (s->stage != SUCCESSION_CANARY || s->canary == NULL)
		return;
	child_row(s->canary, &row);
	if (row.requests == 0 &&
	    clock_ms() <
		s->canary->ready_ms + (uint64_t)p->settings.canary_time)
		return;
	log_info("%sthe canary worker=%u gen=%u serves (%llu requests)",
	    p->label, s->canary->slot, s->generation,
	    (unsigned long long)row.requests);
	s->canary->is_canary = false;
	rollout_begin(p);
}

void
rollout_child_ready(struct pool *p, struct child *c)
{
	struct succession *s = &p->succession;

	if (s->stage != SUCCESSION_CANARY || s->canary != c)
		return;
	ev_timer_set(&s->canary_time, 0., CANARY_LOOK_S);
	ev_timer_start(p->master->loop, &s->canary_time);
}

void
rollout_child_quits(struct child *c)
{
	struct pool *p = c->pool;
	struct succession *s = &p->succession;

	if (s->stage != SUCCESSION_CANARY || s->canary != c)
		return;
	log_info("%sthe canary worker=%u gen=%u is not wanted any more: "
		 "another one is tried",
	    p->label, c->slot, s->generation);
	rollout_end(p);
	c->is_canary = false;
	s->canary = NULL;
}

static void
make_canary(struct pool *p)
{
	struct succession *s = &p->succession;
	struct child *old, *c;

	if (s->canary != NULL)
		return;
	old = choice_replaced(p, true);
	if (old == NULL &&
	    (pool_alive(p) == 0 || (spares_kept(p) && p->wanted == 0))) {
		rollout_begin(p); /* scaled to nothing: nobody to try it on */
		return;
	}
	if (old == NULL || !moldlink_usable(s->next))
		return;
	c = pool_vacant(p, old->slot);
	if (moldlink_fork(s->next, c) < 0)
		return;
	c->is_canary = true;
	s->canary = c;
}

/* Successors under way; true in *left while an outdated worker serves. */
static uint32_t
under_way(struct pool *p, bool *left)
{
	struct child *c, *other;
	uint32_t slot, n = 0;

	*left = false;
	for (slot = 0; slot < p->slots; slot++) {
		c = slot < p->wanted || spares_kept(p) ? pool_serving(p, slot)
						       : NULL;
		if (c == NULL || c->lease != NULL ||
		    c->generation == p->generation)
			continue;
		*left = true;
		other = pool_child(p, slot, (int)(1 - (c->row & 1)));
		if (other->state == LIFE_FORKING ||
		    other->state == LIFE_BOOTING)
			n++;
	}
	return n;
}

static void
roll_on(struct pool *p)
{
	uint32_t limit =
	    (uint32_t)settings_unavailable(&p->settings, p->wanted);
	struct child *old;
	bool left;
	uint32_t n = under_way(p, &left);

	if (!left) {
		outcome_succeed(p);
		return;
	}
	if (n >= limit || !moldlink_usable(p->mold) ||
	    p->mold->forking != NULL || pool_backs_off(p))
		return;
	old = choice_replaced(p, false);
	if (old != NULL)
		moldlink_fork(p->mold, pool_vacant(p, old->slot));
}

void
rollout_step(struct pool *p)
{
	if (p->succession.stage == SUCCESSION_CANARY)
		make_canary(p);
	else if (p->mold == NULL) /* it died meanwhile: recover first */
		outcome_fail(
		    p, -ECHILD, "the new mold died during the rollout");
	else
		roll_on(p);
}

void
rollout_init(struct pool *p)
{
	struct succession *s = &p->succession;

	ev_timer_init(&s->canary_time, on_canary, 0., CANARY_LOOK_S);
	s->canary_time.data = p;
}
