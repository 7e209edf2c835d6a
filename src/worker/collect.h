/*
 * collect.h - when a worker collects garbage: between two requests.
 *
 * begin and end bracket a request; between is asked after each, waiting when
 * nobody waits and the worker would sleep. What the collector did, in requests
 * and out, goes into the row.
 *
 * Runs in:    worker; collect_open in the mold
 * Owns:       what is known of the application's garbage
 * After fork: the child keeps its parent's estimates and looks at the heap anew
 * Raises:     never
 */
#ifndef WORKER_COLLECT_H
#define WORKER_COLLECT_H

#include <stdbool.h>
#include <stdint.h>

struct rfk_settings_table;
struct self;

/* In the mold, before it forks; 0, -errno (logged: nothing is collected). */
int collect_open(const struct rfk_settings_table *);
void collect_start(
    const struct self *); /* in a worker, before its first unit */

/* Is the collector off in requests, so that somebody must look after it? */
bool collect_is_leashed(const struct rfk_settings_table *);

void collect_begin(void);
void collect_end(void);
/* A collection that cannot wait. */
void collect_between(void);
/* true: it has collected, and the world may have changed meanwhile. */
bool collect_waiting(void);
/* Milliseconds until collect_waiting may be told more; -1 = nothing is due. */
int collect_retry_ms(void);

#endif
