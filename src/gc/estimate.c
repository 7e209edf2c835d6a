/* estimate.c - demand: a maximum that decays. */
#include "gc/estimate.h"

#define GROWTH 1.5
#define DECAY 0.99

static uint64_t
since(uint64_t before, uint64_t after)
{
	return after > before ? after - before : 0;
}

/* The first request says it all: there is nothing to grow from. */
static double
decayed_max(double estimate, double seen, uint64_t requests)
{
	if (requests == 0)
		return seen;
	if (seen > estimate)
		return seen < estimate * GROWTH ? seen : estimate * GROWTH + 1;
	return estimate * DECAY > seen ? estimate * DECAY : seen;
}

void
gc_demand_see(struct gc_demand *d, const struct gc_sample *before,
    const struct gc_sample *after)
{
	double bytes = (double)since(before->malloc_bytes, after->malloc_bytes);
	uint32_t i;

	for (i = 0; i < after->pools && i < GC_POOLS; i++)
		d->slots[i] = decayed_max(d->slots[i],
		    (double)since(before->made[i], after->made[i]), d->seen);
	/* A collection inside has set the counter back: it was that or more. */
	if (before->count != after->count &&
	    bytes < (double)after->malloc_bytes)
		bytes = (double)after->malloc_bytes;
	d->malloc_bytes = decayed_max(d->malloc_bytes, bytes, d->seen);
	d->seen++;
}

uint64_t
gc_slots(const struct gc_sample *from, const struct gc_sample *to)
{
	return since(from->allocated, to->allocated);
}

uint64_t
gc_bytes(const struct gc_sample *from, const struct gc_sample *to)
{
	uint64_t bytes = since(from->malloc_bytes, to->malloc_bytes);
	uint32_t i;

	if (from->count != to->count)
		bytes = to->malloc_bytes;
	for (i = 0; i < to->pools && i < GC_POOLS; i++)
		bytes += since(from->made[i], to->made[i]) * to->slot[i];
	return bytes;
}

void
gc_swept(struct gc_sample *base, const struct gc_sample *now)
{
	uint32_t i;

	for (i = 0; i < now->pools && i < GC_POOLS; i++)
		base->room[i] =
		    now->room[i] + since(base->made[i], now->made[i]);
	base->shared = now->shared;
	base->live = since(gc_slots(base, now), now->live);
}
