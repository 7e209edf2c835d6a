/*
 * kernel.h - what the kernel must allow, asked before anything is begun.
 *
 * Processes are held by pidfds, orphans come to the master, the scoreboard is a
 * memfd and channels keep messages apart: none of it has a fallback. An old
 * kernel does not know such a call, and the filter of a container may refuse
 * it; either way one line says so, and nobody is half started.
 *
 * Runs in:    master, mold: once each, first
 * Owns:       nothing
 * After fork: not called again
 * Raises:     never
 */
#ifndef BASE_KERNEL_H
#define BASE_KERNEL_H

#include "base/fail.h"

/* 0, or -errno of the first call that does not work, with the line in *why. */
int kernel_check(struct fail *why);

#endif
