/*
 * statistics.h - what this process's Ruby says of its heap, as lines of
 * "KIND name=value ..." for the control socket.
 *
 * gc        GC.stat
 * heap0 ... GC.stat_heap of each size pool, Ruby 3.3 and later
 * objects   ObjectSpace.count_objects
 * sizes     ObjectSpace.count_objects_size
 * ruby      its version, how many threads
 * settings  RUBY_GC_*, MALLOC_* and the like, as this image was started
 * memory    of this process, in kB
 * preload   the heap of the exec'd mold when it was READY, whoever asks
 * life      since the fork of this process, and why it collected
 *
 * Runs in:    mold, worker; the main thread, GVL held
 * Owns:       nothing
 * After fork: unchanged
 * Raises:     never
 */
#ifndef RUBY_STATISTICS_H
#define RUBY_STATISTICS_H

#include <stdint.h>

#include "base/buf.h"

struct ruby_error;

/* 0, -ENOMEM, or -ECANCELED with *why. */
int statistics_put(struct buf *, uint64_t requests, struct ruby_error *why);

#endif
