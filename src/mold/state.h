/*
 * state.h - the configuration's instance variables, on their way from one mold
 * to the next that boots: Marshal's bytes in a sealed memfd (mold/state.rb).
 *
 * Runs in:    mold
 * Owns:       nothing
 * After fork: a candidate inherits the variables themselves
 * Raises:     never
 */
#ifndef MOLD_STATE_H
#define MOLD_STATE_H

#include <stdbool.h>

#include "base/buf.h"

struct self;

/* The variables as they are, in a memfd; -1 = none, or as last time unless all
 * are wanted. */
int state_make(bool all);
/* STATE, when a variable has changed; what cannot be sent is logged. */
void state_send(struct self *);
/* What the last mold knew, in a candidate; fd is borrowed. */
void state_take(const struct self *, int fd);
/* What START brought; fd may be -1. 0, -errno. */
int state_read(int fd, struct buf *out);

#endif
