/* decide.c - samples in, a decision out. */
#include "gc/decide.h"

/* What can wait does not wait longer than to this multiple. */
#define PATIENCE_NURSERY 1.5
#define PATIENCE_BUDGET 1.25
#define PATIENCE_OLD 1.25

static double
used_of(const struct gc_sample *base, const struct gc_sample *now, uint32_t i)
{
	return now->made[i] > base->made[i]
		   ? (double)(now->made[i] - base->made[i])
		   : 0;
}

static double
beyond(double used, double room)
{
	return used > room ? used - room : 0;
}

/* Slots of the shared room that are taken once each pool has `more` of d. */
static double
shared_taken(const struct gc_demand *d, const struct gc_sample *base,
    const struct gc_sample *now, double more)
{
	double taken = 0;
	uint32_t i;

	for (i = 0; i < now->pools && i < GC_POOLS; i++)
		taken += beyond(used_of(base, now, i) + more * d->slots[i],
		    (double)base->room[i]);
	return taken;
}

/*
 * A pool's own room first; what exceeds it comes out of the shared one, if
 * this Ruby has that. The guard is asked of the pool that is out of room.
 */
static bool
room_is_short(const struct gc_policy *p, const struct gc_demand *d,
    const struct gc_sample *base, const struct gc_sample *now, uint32_t *pool)
{
	double shared = (double)base->shared;
	double later = shared_taken(d, base, now, 1);
	uint32_t i;

	if (later <= shared)
		return false;
	*pool = GC_POOLS;
	for (i = 0; i < now->pools && i < GC_POOLS; i++) {
		double used = used_of(base, now, i);
		double room = (double)base->room[i] + shared;

		if (used + d->slots[i] > (double)base->room[i] &&
		    used > p->guard * room) {
			*pool = i;
			return true;
		}
	}
	return shared > 0 && shared_taken(d, base, now, 0) > p->guard * shared;
}

static bool
malloc_is_short(const struct gc_policy *p, const struct gc_demand *d,
    const struct gc_sample *now)
{
	double bytes = (double)now->malloc_bytes;
	double limit = (double)now->malloc_limit;

	return bytes + d->malloc_bytes > limit && bytes > p->guard * limit;
}

/* false = not yet. */
static bool
is_over(double value, double limit, double patience, bool *must)
{
	*must = value > patience * limit;
	return value > limit;
}

/* What the next request takes is on top of it. */
static bool
stands_too_much(const struct gc_policy *p, const struct gc_sample *base,
    const struct gc_sample *now, bool *must)
{
	return p->standing > 0 && gc_bytes(base, now) >= p->standing_bytes &&
	       is_over((double)gc_slots(base, now),
		   p->standing * (double)base->live, PATIENCE_NURSERY, must);
}

struct gc_decision
gc_decide(const struct gc_policy *p, const struct gc_demand *d,
    const struct gc_sample *base, const struct gc_sample *now)
{
	struct gc_decision decision = { .reason = GC_NONE };
	double slots = (double)gc_slots(base, now);
	double next = 0;
	uint32_t i;

	for (i = 0; i < now->pools && i < GC_POOLS; i++)
		next += d->slots[i];
	if (room_is_short(p, d, base, now, &decision.pool)) {
		decision.reason = GC_ROOM;
		decision.must = true;
	} else if (malloc_is_short(p, d, now)) {
		decision.reason = GC_MALLOC;
		decision.must = true;
	} else if (p->old_limit > 0 &&
		   is_over((double)now->old, (double)p->old_limit, PATIENCE_OLD,
		       &decision.must)) {
		decision.reason = GC_OLD;
	} else if (p->nursery > 0 &&
		   is_over((double)gc_bytes(base, now), (double)p->nursery,
		       PATIENCE_NURSERY, &decision.must)) {
		decision.reason = GC_NURSERY;
	} else if (stands_too_much(p, base, now, &decision.must)) {
		decision.reason = GC_NURSERY;
	} else if (p->malloc_bytes > 0 &&
		   is_over((double)now->malloc_bytes, (double)p->malloc_bytes,
		       PATIENCE_BUDGET, &decision.must)) {
		decision.reason = GC_BUDGET;
	} else if (p->budget > 0 && slots > p->guard * next &&
		   is_over(slots + next, p->budget * (double)base->live,
		       PATIENCE_BUDGET, &decision.must)) {
		decision.reason = GC_BUDGET;
	}
	return decision;
}

double
gc_used(const struct gc_sample *base, const struct gc_sample *now)
{
	double most = 0, part;
	uint32_t i;

	for (i = 0; i < now->pools && i < GC_POOLS; i++) {
		double room = (double)base->room[i] + (double)base->shared;

		part = room > 0 ? used_of(base, now, i) / room : 1;
		most = part > most ? part : most;
	}
	part = now->malloc_limit > 0
		   ? (double)now->malloc_bytes / (double)now->malloc_limit
		   : 0;
	most = part > most ? part : most;
	return most < 1 ? most : 1;
}

const char *
gc_reason_name(enum gc_reason reason)
{
	static const char *const names[] = { "nothing", "room", "malloc", "old",
		"budget", "nursery" };

	return names[reason];
}
