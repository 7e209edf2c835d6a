/*
 * backlog.h - how many connections the kernel has queued on a listening socket.
 *
 * A readable listener has somebody queued, but for a UNIX listener that was
 * shut down: that one is readable for ever, and only the kernel's own count
 * tells.
 *
 * Runs in:    master, worker
 * Owns:       nothing
 * After fork: unchanged
 * Raises:     never
 */
#ifndef BASE_BACKLOG_H
#define BASE_BACKLOG_H

int backlog_length(int listener); /* or -errno */

#endif
