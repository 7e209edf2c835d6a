/*
 * outcome.h - the end of a succession: what is undone, who is told, whether it
 * is tried again.
 *
 * Runs in:    master
 * Owns:       the list of who waits; their arguments are theirs
 * After fork: the master's only forks exec at once
 * Raises:     never
 */
#ifndef MASTER_OUTCOME_H
#define MASTER_OUTCOME_H

struct pool;

/* Called once with the outcome: 0, or -errno and why. */
typedef void outcome_call(void *arg, int rc, const char *text);

#define OUTCOME_WAITERS_MAX 16

struct outcome_waiter {
	outcome_call *call;
	void *arg;
};

/* The new generation is complete. */
void outcome_succeed(struct pool *);
/* The next mold and the canary go; the old mold and generation stay. */
void outcome_fail(struct pool *, int rc, const char *why);
/* Full stop: fails what is under way or queued. */
void outcome_cancel(struct pool *, const char *why);
/* All who wait, and nothing else. */
void outcome_tell(struct pool *, int rc, const char *text);

/* call(arg, ...) when the one under way ends; -ENOSPC. */
int outcome_wait(struct pool *, outcome_call *, void *arg);
void outcome_forget(struct pool *, void *arg); /* that waiter has gone */

#endif
