/*
 * recycle.h - a worker is replaced for its own sake: a limit has been reached.
 * Its successor is READY before it drains, so that no request notices.
 *
 * Runs in:    master
 * Owns:       nothing
 * After fork: unchanged
 * Raises:     never
 */
#ifndef MASTER_RECYCLE_H
#define MASTER_RECYCLE_H

#include <stdbool.h>
#include <stdint.h>

#include <reforkd/proto.h>

struct pool;
struct child;

/* Whose replacement is wanted, by row; a new worker there has a new token. */
struct recycle {
	uint64_t token[RFK_ROWS_MAX];
	uint32_t wanted; /* at most so many are marked */
};

/* Marks and logs it: "worker=3 gen=1 pid=42 WHY: replacing it". Once each. */
void recycle_want(struct pool *, struct child *, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
bool recycle_wanted(const struct pool *, const struct child *);
/* Some worker is marked, or its successor is being made. */
bool recycle_busy(const struct pool *);
void recycle_step(struct pool *); /* pool_reconcile calls it */

#endif
