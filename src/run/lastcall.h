/*
 * lastcall.h - the listeners of a run block that is to end: it is told so when
 * nobody is queued any more.
 *
 * Only the block can serve who is queued, so it goes on as ever meanwhile. TCP
 * lets nobody new in from the beginning (base/cutoff.h). A UNIX listener that
 * is shut down is readable for ever, which a block would take for a client: it
 * stays open until nobody is queued, or for a second.
 *
 * Runs in:    worker
 * Owns:       nothing; its timer is of the worker's loop
 * After fork: forgotten with the loop
 * Raises:     never
 */
#ifndef RUN_LASTCALL_H
#define RUN_LASTCALL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"

struct worker;

/* Zeroed by its owner. */
struct lastcall {
	struct worker *worker;
	struct loop_lane lane;
	struct loop_timer timer;
	bool is_on;
	int waiting; /* at the last look */
	uint64_t grace_ms, shut_ms, moved_ms, until_ms;
};

/* False: no listener is cut off, the block is to be told at once. */
bool lastcall_begin(struct lastcall *, struct worker *, uint64_t until_ms);
/* Looked at in each turn. */
bool lastcall_over(struct lastcall *);

#endif
