/*
 * queues.h - which of an address's queues a worker serves.
 *
 * Worker nr takes queues_per_worker of them, from nr modulo their number on, as
 * in pitchfork. With fewer workers than that needs, some would be nobody's and
 * who is queued there would wait for ever: these are dealt out among the
 * workers.
 *
 * Runs in:    worker
 * Owns:       nothing
 * After fork: unchanged
 * Raises:     never
 */
#ifndef WORKER_QUEUES_H
#define WORKER_QUEUES_H

#include <stdbool.h>
#include <stdint.h>

bool queue_is_mine(uint32_t queue, uint32_t queues, uint32_t per_worker,
    uint32_t slot, uint32_t workers);

#endif
