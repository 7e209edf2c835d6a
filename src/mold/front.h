/*
 * front.h - another Ruby, when the file asks for one: which program, and the
 * extension that makes it a mold. again.h starts it in this process's place.
 *
 * Runs in:    mold, at its boot
 * Owns:       nothing
 * After fork: not called
 * Raises:     never
 */
#ifndef MOLD_FRONT_H
#define MOLD_FRONT_H

#include <limits.h>
#include <stddef.h>

struct ruby_error;
struct self;
struct start;

struct front {
	char ruby[PATH_MAX];
	char extension[PATH_MAX];
};

/*
 * The image that the settings ask for, another Ruby's or this one once more: it
 * does not return when that is started. 0 = this one will do; -ECANCELED = the
 * other one cannot be had, the master was told.
 */
int front_start(struct self *, const struct start *, int board);

/* 1 = another one; 0 = this one will do; -ECANCELED with *why. */
int front_find(struct front *, struct ruby_error *why);
/*
 * From this image's command line to that one's: "-r", the extension, and
 * Reforkd.run in place of nothing. `to` points into both. 0, -E2BIG.
 */
int front_argv(struct front *, char *const *from, char **to, size_t room);

#endif
