/*
 * rollout.h - the replacement of the workers by those of the next mold: one as
 * a canary, then the others, each READY before its predecessor drains.
 *
 * Runs in:    master
 * Owns:       nothing; the canary is a child of the pool's
 * After fork: the master's only forks exec at once
 * Raises:     never
 */
#ifndef MASTER_ROLLOUT_H
#define MASTER_ROLLOUT_H

struct pool;
struct child;

void rollout_init(struct pool *);
/* The next mold becomes the current one: the point of no return. */
void rollout_begin(struct pool *);
void rollout_end(struct pool *); /* nobody looks at a canary any more */
/* The next worker of the stages CANARY and ROLLING. */
void rollout_step(struct pool *);
/* Is it the canary? Then it has canary_time to show that it serves. */
void rollout_child_ready(struct pool *, struct child *);
/* Told to leave, for a reason of its slot's: if it was the canary, then another
 * one is tried. */
void rollout_child_quits(struct child *);

#endif
