/*
 * service.h - pitchfork's service: one process beside the workers that serves
 * nothing and runs what the file has started in before_service_worker_ready.
 *
 * It is a pool without a mold: the default pool's makes it, after the workers,
 * and again when it has died. When that mold's place is taken by the next one,
 * it is told to leave, and only when it has gone another is forked: there are
 * never two.
 *
 * Runs in:    master
 * Owns:       nothing: pools.h has the pool
 * After fork: the master's only forks exec at once
 * Raises:     never
 */
#ifndef MASTER_SERVICE_H
#define MASTER_SERVICE_H

#include <stdbool.h>

struct master;
struct moldlink;
struct pool;

#define SERVICE_NAME "service"

/* The default pool's settings have come into force. */
void service_follow(struct master *);
bool service_is(const struct pool *);
void service_step(struct pool *); /* its pool_reconcile */
/* The pool whose child has this token, of those that this mold forks for. */
struct pool *service_of(const struct moldlink *);

#endif
