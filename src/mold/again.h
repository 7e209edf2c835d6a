/*
 * again.h - this program execs itself once more, when the configuration asks
 * for what only a start can give: another malloc, Ruby's own limits (oob_gc
 * false), YJIT on Ruby 3.1 and 3.2.
 *
 * The channel, the scoreboard and START go along, so that the master notices
 * nothing; the file is evaluated a second time.
 *
 * Runs in:    mold, at its boot
 * Owns:       nothing
 * After fork: not called
 * Raises:     never
 */
#ifndef MOLD_AGAIN_H
#define MOLD_AGAIN_H

#include <stdbool.h>

#include <reforkd/proto.h>

#include "base/buf.h"

struct self;

struct start {
	struct rfk_start head;
	struct buf tail;
	int state;     /* the last mold's STATE, -1 = none */
	bool is_again; /* this image was started by another one of it */
};

/* START as the image before this one got it: 0, -ENOENT = there was none. */
int again_start(struct start *);
/* Does what the settings ask for need another start? */
bool again_needed(const struct self *, const struct start *);
/* Returns when it cannot, with a line in the log. */
void again_exec(struct self *, const struct start *, int board);

#endif
