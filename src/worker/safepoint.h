/*
 * safepoint.h - what the watchman has the main thread do at Ruby's next safe
 * point: say where a unit is that takes too long, and look at what one has
 * allocated.
 *
 * Runs in:    worker; all but safepoint_open in the watchman's thread
 * Owns:       two postponed jobs and the trap of one signal
 * After fork: safepoint_open again, for the child's own thread and row
 * Raises:     never
 */
#ifndef WORKER_SAFEPOINT_H
#define WORKER_SAFEPOINT_H

#include <stdbool.h>
#include <stdint.h>

struct self;

void safepoint_open(const struct self *); /* in the main thread */

/* A line with the backtrace, and the soft timeout's hook, for this deadline. */
void safepoint_soft(uint64_t due_ms);
/* Has that been done? */
bool safepoint_reached(uint64_t due_ms);
/* The leash's look (ruby/leash.h). */
void safepoint_leash(void);

/* A line of the log about the unit that runs; from any thread. */
void safepoint_log(const char *what);

#endif
