/*
 * holes.h - free memory between data that a fork will share.
 *
 * malloc gives a child the smallest piece that fits, wherever it lies: each
 * new object then copies a page of shared ones. In a mold these pieces are
 * taken before it forks, so that what its children allocate lies side by side
 * in pages of their own. Pieces of which a child would use a page or more are
 * left to it. The next mold, who was such a child, gives the pieces back first,
 * and takes those that there are then.
 *
 * For glibc's malloc; with another one nothing is taken.
 *
 * Runs in:    mold, once, before READY
 * Owns:       the pieces, one list in a process; threads that end at once
 * After fork: the child goes on owning its copies
 * Raises:     never
 */
#ifndef BASE_HOLES_H
#define BASE_HOLES_H

#include <stddef.h>

struct holes {
	size_t count, bytes;
};

/* Takes what is free in pieces of less than a page: how many, how much. */
struct holes holes_fill(void);
/* Gives back what holes_fill took. */
void holes_free(void);

#endif
