/*
 * decide.h - whether a collection between two requests is due, and why.
 *
 * room    a pool, or what the pools share, would not hold another request as
 *         big as the biggest of late, and most of it is used up (the guard:
 *         else one huge request would make every later one pay)
 * malloc  the same of malloc's limit
 * old     so many objects are old that a major collection is worth it, which
 *         alone finds those that died since
 * budget  allocated since the last collection: a share of the slots that were
 *         live after it, or bytes of malloc, so that a heap that is never
 *         collected inside a request does not grow
 * nursery allocated bytes since the last collection: the private memory that
 *         a worker writes to between two of them (nursery.h); and a share of
 *         the live slots again, smaller than the budget: the garbage for which
 *         the heap would become larger than plain Ruby's
 *
 * The first two cannot wait: the next request would pay. The others can, while
 * somebody waits, until they are exceeded by far.
 *
 * Runs in:    worker, t/
 * Owns:       nothing
 * After fork: unchanged
 * Raises:     never
 */
#ifndef GC_DECIDE_H
#define GC_DECIDE_H

#include <stdbool.h>

#include "gc/estimate.h"

struct gc_policy {
	double budget;           /* share of the live slots */
	double guard;            /* share of a room that is used up first */
	uint64_t malloc_bytes;   /* between two collections, 0 = any */
	uint64_t nursery;        /* bytes, 0 = none */
	double standing;         /* share of the live slots, 0 = any */
	uint64_t standing_bytes; /* less is too dear to be collected for that */
	uint64_t old_limit;      /* objects, 0 = any */
};

enum gc_reason { GC_NONE, GC_ROOM, GC_MALLOC, GC_OLD, GC_BUDGET, GC_NURSERY };

struct gc_decision {
	enum gc_reason reason;
	bool must;     /* also while somebody waits */
	uint32_t pool; /* of GC_ROOM; GC_POOLS = what they share */
};

/* base: right after the last collection; now: between two requests. */
struct gc_decision gc_decide(const struct gc_policy *, const struct gc_demand *,
    const struct gc_sample *base, const struct gc_sample *now);

/* The share of the most used pool's room, or of malloc's limit, 0 to 1. */
double gc_used(const struct gc_sample *base, const struct gc_sample *now);

const char *gc_reason_name(enum gc_reason);

#endif
