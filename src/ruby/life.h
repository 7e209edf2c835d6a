/*
 * life.h - what the heap of the exec'd mold was like when it was READY, and
 * what this process has done since its fork: collections and their causes, what
 * a request takes from malloc.
 *
 * Runs in:    mold, worker; the main thread, GVL held
 * Owns:       both, a few counters
 * After fork: inherited: that is how a worker knows of its mold's preload;
 *             life_born begins anew
 * Raises:     never
 */
#ifndef RUBY_LIFE_H
#define RUBY_LIFE_H

#include <stdint.h>

#include "base/buf.h"

void life_preload(void); /* an exec'd mold, before its first fork */
void life_born(void);    /* a worker, right after its fork */
/* After each unit of work: a few nanoseconds while nothing was collected. */
void life_unit(void);

/* The lines "preload" and "life" of statistics.h: 0, -ENOMEM. */
int life_put(struct buf *, uint64_t requests);

#endif
