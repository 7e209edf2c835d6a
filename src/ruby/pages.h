/*
 * pages.h - where Ruby's heap lies, so that reforkctl can tell it from what
 * malloc has: "heap_pages0 at=FROM-TO,FROM-TO ..." in hexadecimal.
 *
 * Runs in:    mold, worker; the main thread, GVL held
 * Owns:       nothing
 * After fork: unchanged
 * Raises:     never
 */
#ifndef RUBY_PAGES_H
#define RUBY_PAGES_H

#include "base/buf.h"

struct ruby_error;

int pages_put(struct buf *, struct ruby_error *why); /* 0, -errno */

#endif
