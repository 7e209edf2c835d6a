/*
 * stuck.h - where a thread is that comes to no safe point of Ruby's.
 *
 * Runs in:    worker, in the watchman's thread
 * Owns:       nothing
 * After fork: unchanged
 * Raises:     never
 */
#ifndef WORKER_STUCK_H
#define WORKER_STUCK_H

#include <stddef.h>
#include <sys/types.h>

/* "no Ruby safe point since the soft timeout, in system call 0 read (...)" */
void stuck_text(pid_t tid, char *out, size_t size);

#endif
