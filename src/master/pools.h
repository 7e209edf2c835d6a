/*
 * pools.h - the pools of one master: `default`, which is the top level of the
 * file, and those that it names.
 *
 * The default pool comes first: its mold evaluates the whole file, and its
 * settings name the others. Each of those has a mold of its own, exec'd like
 * the first one, which evaluates the same file again and takes the block of its
 * pool. So a pool's program never meets another's, and a pool that fails is a
 * pool that fails: it backs off and tries again, and nobody else notices. What
 * is wrong with the file itself is found by the default pool's mold, before
 * any other boots.
 *
 * A reload begins with the default pool. When its canary serves, the others
 * follow: those that stay reload, new ones boot, dropped ones drain and go.
 *
 * Runs in:    master
 * Owns:       all pools but the default one, which is the master's
 * After fork: the master's only forks exec at once
 * Raises:     never
 */
#ifndef MASTER_POOLS_H
#define MASTER_POOLS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct child;
struct master;
struct moldlink;
struct pool;
struct process;

/* One after the other: NULL begins, and NULL is the end. */
struct pool *pools_next(const struct master *, const struct pool *);
struct pool *pools_find(const struct master *, const char *name); /* or NULL */
uint32_t pools_count(const struct master *);
struct process *pools_process(const struct master *, pid_t); /* or NULL */

/*
 * A pool of that name with nothing in it yet, and how it gets its first mold.
 * NULL: there are RFK_POOLS_MAX already, or no memory (logged).
 */
struct pool *pools_add(struct master *, const char *name);
/* The same at a place of its own, to which its workers' rows belong. */
struct pool *pools_add_at(struct master *, uint32_t index, const char *name);
void pools_boot(struct pool *);
/* It drains; pools_reconcile frees it when nothing of it is left. */
void pools_leave(struct pool *, const char *why);
/* The file is read again: a fresh mold, or the first one tried again. */
void pools_renew(struct pool *);

/* The default pool's settings have come into force: so be it with the others.
 */
void pools_follow(struct master *);
/* The first mold of a pool did not come; has_said: why, to the log. */
void pools_boot_failed(struct pool *, const char *cause, bool has_said);
/* Each has had its workers once, or cannot: the master is ready. */
void pools_say_ready(struct master *);

/* Before the loop sleeps: every pool's next thing; the end of the last one. */
void pools_reconcile(struct master *);
void pools_stop(struct master *, bool graceful);
void pools_kill(struct master *, const char *why); /* what is left */
void pools_close(struct master *);

#endif
