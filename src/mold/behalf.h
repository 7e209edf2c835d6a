/*
 * behalf.h - what the mold runs for the master, which has no Ruby: callbacks
 * that unicorn and pitchfork run in theirs, and lines for the file's logger.
 *
 * Runs in:    mold
 * Owns:       nothing
 * After fork: unchanged
 * Raises:     never
 */
#ifndef MOLD_BEHALF_H
#define MOLD_BEHALF_H

struct self;
struct rfk_msg;

/* A HOOK, and its HOOKED: 0, -errno when the master has gone. */
int behalf_run(struct self *, const struct rfk_msg *);

#endif
