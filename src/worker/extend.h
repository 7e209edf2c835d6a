/*
 * extend.h - the deadline of the unit that runs, as the application moves it:
 * Reforkd.unit_extend and the like, behind env["pitchfork.timeout"] and
 * Reforkd.extend_deadline (mold/timeouts.rb).
 *
 * The deadline is in this worker's row, where the watchman and the master look
 * for it, so that moving it is one store and a unit that does not pays nothing.
 *
 * Runs in:    worker; elsewhere there is no unit and the methods answer nil
 * Owns:       nothing; self is main's, and outlives the VM
 * After fork: what the application forks finds no unit
 * Raises:     never, but for its methods
 */
#ifndef WORKER_EXTEND_H
#define WORKER_EXTEND_H

struct self;
struct ruby_error;

int extend_define(
    const struct self *, struct ruby_error *why); /* 0, -ECANCELED */

#endif
