/*
 * failures.h - starts that fail. Each one delays the next; and so many in a row
 * end the server, when its file says so (max_consecutive_spawn_errors).
 *
 * A failed start, as pitchfork counts them: a worker, the service or a refork's
 * candidate that was asked for and ended, or was not even made, before it was
 * READY. Whoever becomes READY ends the row.
 *
 * Runs in:    master
 * Owns:       nothing
 * After fork: the master's only forks exec at once
 * Raises:     never
 */
#ifndef MASTER_FAILURES_H
#define MASTER_FAILURES_H

#include <stdbool.h>

struct child;
struct master;
struct moldlink;
struct pool;

void failures_init(struct pool *);
/* The worker has ended, or could not be made: its row is read. */
void failures_child_gone(struct pool *, const struct child *, bool was_made);
/* The next mold has ended before it was the current one. */
void failures_mold_gone(struct pool *, const struct moldlink *);
/* A worker or a mold is READY. */
void failures_none(struct pool *);
/* Stops the server when the limit has been passed; no event may be under way.
 */
void failures_limit(struct master *);

#endif
