/*
 * again.h - this program execs itself once more, when the configuration asks
 * for what only a start can give: another malloc, Ruby's own limits (oob_gc
 * false), YJIT on Ruby 3.1 and 3.2, another Ruby (front.h); and unicorn's
 * worker_exec, an address space of each worker's own.
 *
 * The channel, the scoreboard and START go along, so that the master notices
 * nothing; the file is evaluated a second time.
 *
 * Runs in:    mold, at its boot; a worker, before it is one
 * Owns:       what it keeps of START for the workers of worker_exec
 * After fork: a worker of worker_exec leaves by exec
 * Raises:     never
 */
#ifndef MOLD_AGAIN_H
#define MOLD_AGAIN_H

#include <stdbool.h>

#include <reforkd/proto.h>

#include "base/buf.h"

struct front;
struct self;

struct start {
	struct rfk_start head;
	struct buf tail;
	int state;     /* the last mold's STATE, -1 = none */
	bool is_again; /* this image was started by another one of it */
	bool is_front; /* which was another Ruby */
};

/* START as the image before this one got it: 0, -ENOENT = there was none. */
int again_start(struct start *);
/* Does what the settings ask for need another start? */
bool again_needed(const struct self *, const struct start *);
/* This program, or the front's Ruby. Returns when it cannot, with a line in the
 * log. */
void again_exec(
    struct self *, const struct start *, struct front *or_null, int board);

/* worker_exec: what the workers start with, before a title hides the command
 * line. 0, -errno. */
int again_keep(const struct start *, int board);
/* The newborn starts anew as that worker; as again_exec. */
void again_as_worker(struct self *, const struct rfk_fork *);
/* In the new image: 1 = it is that worker, with the listeners; 0 = it is none;
 * -errno. */
int again_is_worker(struct self *, const struct start *);

#endif
