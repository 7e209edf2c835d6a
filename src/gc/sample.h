/*
 * sample.h - what is read of Ruby's collector, in plain numbers.
 *
 * Ruby 3.1 has one size of slots, later ones have five pools. A pool's room is
 * what may still be allocated in it before a collection starts: exact to a few
 * slots, but only right after a collection that has been swept to its end.
 *
 * Runs in:    worker, t/
 * Owns:       nothing
 * After fork: unchanged
 * Raises:     never
 */
#ifndef GC_SAMPLE_H
#define GC_SAMPLE_H

#include <stdint.h>

#define GC_POOLS 5

struct gc_sample {
	uint64_t count;     /* collections since the process began */
	uint64_t allocated; /* objects, since the process began */
	uint64_t live;      /* slots that are in use, or not yet swept */
	uint64_t old;       /* objects that a minor collection takes as live */
	uint64_t malloc_bytes, malloc_limit;
	uint32_t pools;
	uint32_t slot[GC_POOLS]; /* bytes */
	uint64_t made[GC_POOLS]; /* objects of this size, ever */
	/* Filled by a whole reading only, which follows a collection. */
	uint64_t room[GC_POOLS];
	uint64_t free;   /* slots, over all pools */
	uint64_t shared; /* slots that any pool may add (3.4) */
};

#endif
