/*
 * refusal.h - who refused to be promoted, and why. All of them are asked again
 * every second, so that each says its reason once in a succession; the end
 * tells how often.
 *
 * Runs in:    master
 * Owns:       nothing; the counts are in the children and the succession
 * After fork: unchanged
 * Raises:     never
 */
#ifndef MASTER_REFUSAL_H
#define MASTER_REFUSAL_H

#include <stdbool.h>

struct pool;
struct child;

void refusal_note(struct pool *, struct child *donor, const char *why);
/* It has refused in this succession: what it is asked is no news. */
bool refusal_known(const struct child *);
/* A new succession: nobody has refused. */
void refusal_reset(struct pool *);
/* What was not said one by one. */
void refusal_summary(struct pool *);

#endif
