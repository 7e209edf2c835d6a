/*
 * prelude.h - the Ruby parts of reforkd, compiled into the program as bytes.
 *
 * Runs in:    mold, at its boot
 * Owns:       nothing
 * After fork: what was defined is inherited
 * Raises:     never
 */
#ifndef RUBY_PRELUDE_H
#define RUBY_PRELUDE_H

#include <stddef.h>

struct ruby_error;

/* One file of ours. Its frames are named "<reforkd>/NAME", so that error
 * reports can tell them from the application's. */
struct prelude {
	const char *name;
	const unsigned char *text;
	size_t len;
};

int prelude_load(
    const struct prelude *, struct ruby_error *why); /* 0, -ECANCELED */

#endif
