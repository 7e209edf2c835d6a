/*
 * gclog.h - every collection of this process, in a ring: when, which kind, why,
 * in a unit of work or out of it, how long, slots before and after.
 *
 * Off by default. The hooks run inside the collector: they write numbers into
 * memory that Ruby knows nothing of, and allocate nothing.
 *
 * Runs in:    worker; the hooks with the GVL held, on whatever thread collects
 * Owns:       the ring, the tracepoint
 * After fork: a candidate calls gclog_forget: its parent's log is not its own
 * Raises:     never
 */
#ifndef RUBY_GCLOG_H
#define RUBY_GCLOG_H

#include <stdbool.h>

#include "base/buf.h"

struct ruby_error;

/* *in_unit tells when a unit of work is running; it outlives the log. 0 (also
 * when it is on), -ENOMEM, -ECANCELED with *why. */
int gclog_on(const bool *in_unit, struct ruby_error *why);
int gclog_off(struct ruby_error *why); /* 0, also when it is off */
void gclog_forget(void);

/* "gclog_head row=n,time,..." and a line "gclog row=1,..." for each collection
 * kept, the oldest first; without it they are kept. 0, -ENOMEM, -ENOENT: it is
 * off and nothing was logged. */
int gclog_put(struct buf *);

#endif
