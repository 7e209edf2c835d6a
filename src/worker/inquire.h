/*
 * inquire.h - answers to the master's ASK: statistics, the log of collections.
 *
 * Runs in:    mold, worker; between two units of work
 * Owns:       nothing
 * After fork: unchanged
 * Raises:     never
 */
#ifndef WORKER_INQUIRE_H
#define WORKER_INQUIRE_H

#include <stdbool.h>

struct self;
struct rfk_ask;

/* Always answers. in_unit, for the log; NULL in a mold, which has none. */
void inquire(struct self *, const struct rfk_ask *, const bool *in_unit);

#endif
