/*
 * room.h - our own rule of when to collect: that the next request finds room
 * (gc/decide.h), on this worker's heap, with the token and the counters.
 *
 * Each pool is asked when enough was allocated to matter. Between small
 * requests it marks only: they sweep in turn, and a pause sweeps the rest.
 *
 * Runs in:    worker; room_open in the mold
 * Owns:       what is known of the application's garbage
 * After fork: the child keeps its parent's estimates and looks at the heap anew
 * Raises:     never
 */
#ifndef WORKER_ROOM_H
#define WORKER_ROOM_H

#include <stdbool.h>
#include <stdint.h>

struct rfk_settings_table;
struct self;

void room_open(const struct rfk_settings_table *);
void room_start(const struct self *); /* in a worker, before its first unit */

/* Marked, and not yet swept to the end. */
bool room_is_sweeping(void);
uint64_t room_requests(void); /* since the last collection */

/* A request has ended, so much of it was the collector's. */
void room_ended(uint64_t gc_us);
/* As collect_between and collect_waiting; true: the heap was collected. */
bool room_between(void);
bool room_waiting(void);
int room_retry_ms(void); /* as collect_retry_ms */

#endif
