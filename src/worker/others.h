/*
 * others.h - collecting between requests as others do it, to compare with:
 * unicorn's OobGC and Discourse's rule (gc/classic.h), on this worker's heap.
 *
 * Runs in:    worker
 * Owns:       what these rules count
 * After fork: others_start begins anew
 * Raises:     never
 */
#ifndef WORKER_OTHERS_H
#define WORKER_OTHERS_H

#include <stdint.h>

struct rfk_row;

void others_start(void);
/* After a request: every n-th is followed by a collection. */
void others_every(struct rfk_row *, uint64_t n);
/* Around a request. */
void others_discourse_begin(void);
void others_discourse_between(struct rfk_row *);

#endif
