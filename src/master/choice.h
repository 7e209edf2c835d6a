/*
 * choice.h - whom a succession promotes and whom it replaces.
 *
 * Runs in:    master
 * Owns:       nothing
 * After fork: unchanged
 * Raises:     never
 */
#ifndef MASTER_CHOICE_H
#define MASTER_CHOICE_H

#include <stdbool.h>

struct pool;
struct child;

/* The warmest worker that has not refused, the preferred slot's before all. */
struct child *choice_donor(struct pool *);
/* The most diverged one of an older generation; for a canary of any. */
struct child *choice_replaced(struct pool *, bool canary);
/* Every worker may be asked again. */
void choice_forget_refusals(struct pool *);

#endif
