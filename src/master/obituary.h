/*
 * obituary.h - how a life ended: one line in the log, one entry in the ring of
 * deaths, one cause for those who must act on it.
 *
 * Runs in:    master
 * Owns:       nothing
 * After fork: unchanged
 * Raises:     never
 */
#ifndef MASTER_OBITUARY_H
#define MASTER_OBITUARY_H

#include <stddef.h>

struct child;
struct moldlink;

/* Both read the process's exit and fill the cause; the child's row too. */
void obituary_child(struct child *, char *cause, size_t cap);
void obituary_mold(struct moldlink *, char *cause, size_t cap);

#endif
