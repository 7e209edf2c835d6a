/*
 * nursery.h - how far a worker allocates before it collects.
 *
 * What a worker allocates between two collections it writes into pages that it
 * shared with its siblings, or that nobody has: a small nursery is memory
 * saved in every worker, and each collection costs what one costs. So the
 * smallest is taken for which collections take no more than a share of the
 * CPU time that requests take, and in a worker that is idle for most of the
 * time a part of what it is idle beyond that:
 *
 *	size = cost of a collection * bytes allocated / time it may take
 *
 * Where collections are dear beside requests that alone would let more garbage
 * stand than plain Ruby does, and the heap grow for it. So there is a second
 * size, for a larger share of the time: with more bytes than that, garbage is
 * collected when it takes a quarter of the slots that live (gc/decide.h), which
 * is what Ruby itself lets stand by keeping a fifth of the slots free; and old
 * garbage by a major collection when a seventh more objects are old than after
 * the last one. Collections so dear that they would exceed even that share have
 * the budget as their bound.
 *
 * Runs in:    worker, t/
 * Owns:       nothing
 * After fork: the child goes on with its parent's figures
 * Raises:     never
 */
#ifndef GC_NURSERY_H
#define GC_NURSERY_H

#include <stdbool.h>
#include <stdint.h>

struct gc_nursery {
	double cost_us;                 /* of one collection, decayed mean */
	double bytes, busy_us, wall_us; /* decayed sums over requests */
	uint64_t collections;
};

/* Of CPU time, and of idle time beyond half of the whole. */
struct gc_shares {
	double busy, idle;
};

/* Since the last call: CPU time of requests, and all time. */
void gc_nursery_worked(
    struct gc_nursery *, uint64_t bytes, uint64_t busy_us, uint64_t wall_us);
void gc_nursery_collected(struct gc_nursery *, uint64_t cost_us, bool major);
/* Bytes; 0 = too early to say. */
uint64_t gc_nursery_size(const struct gc_nursery *, struct gc_shares);

#endif
