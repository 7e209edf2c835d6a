/*
 * prepare.h - from a loaded application to a mold that is READY: callbacks,
 * fork safety, the heap.
 *
 * Runs in:    mold
 * Owns:       nothing
 * After fork: a worker never comes here
 * Raises:     never
 */
#ifndef MOLD_PREPARE_H
#define MOLD_PREPARE_H

struct self;

/* 0 = READY was sent; else the master was told why, or has gone. */
int prepare(struct self *);

#endif
