/*
 * estimate.h - how much the next request may need: for each pool and for
 * malloc the most that one took, grown by no more than half at a time and
 * forgotten by one percent a request.
 *
 * Runs in:    worker, t/
 * Owns:       nothing
 * After fork: the child's estimate is its parent's
 * Raises:     never
 */
#ifndef GC_ESTIMATE_H
#define GC_ESTIMATE_H

#include "gc/sample.h"

struct gc_demand {
	double slots[GC_POOLS];
	double malloc_bytes;
	uint64_t seen; /* requests */
};

/*
 * One request, from before to after; of several small ones that were not looked
 * at in between, their sum: too much is the safe side.
 */
void gc_demand_see(struct gc_demand *, const struct gc_sample *before,
    const struct gc_sample *after);

/*
 * A collection was marked at base and swept only now: what was found, as it
 * would have been found then.
 */
void gc_swept(struct gc_sample *base, const struct gc_sample *now);

/* Bytes of slots and of malloc that were allocated from one to the other. */
uint64_t gc_bytes(const struct gc_sample *from, const struct gc_sample *to);
uint64_t gc_slots(const struct gc_sample *from, const struct gc_sample *to);

#endif
