/*
 * hooks.h - what unicorn and pitchfork run in their masters, and has to run in
 * a mold here: three callbacks, and the lines for a logger of the file's own.
 *
 * One queue, one call at a time, in the current mold. Supervision never waits
 * for it: while no mold takes them callbacks wait, up to a bound, and lines go
 * to stderr. A call has a deadline, at which the mold interrupts it; one that
 * cannot be interrupted leaves the mold to the deadline of the next FORK.
 *
 * Runs in:    master
 * Owns:       the queue; a call under way is its moldlink's
 * After fork: the master's only forks exec at once
 * Raises:     never
 */
#ifndef MASTER_HOOKS_H
#define MASTER_HOOKS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <ev.h>

struct pool;
struct moldlink;
struct child;
struct pidfd_exit;
struct rfk_hook;
struct hook_call;

struct hooks {
	struct hook_call *first;
	struct hook_call **last;
	unsigned int calls;   /* callbacks that wait */
	unsigned int lines;   /* log lines that wait */
	unsigned int skipped; /* callbacks, since one could last be queued */
	ev_timer deadline;    /* of the call under way in the current mold */
};

void hooks_init(struct pool *);
void hooks_fini(struct pool *); /* lines that wait go to stderr */

/* What the file has callbacks for; nothing happens when it has none. */
void hooks_worker_exit(struct pool *, const struct child *);
void hooks_mold_exit(struct pool *, const struct moldlink *);
/* True: a mold is asked, and overdue_answer gets what it says. */
bool hooks_hard_timeout(struct pool *, const struct child *);
void hooks_monitor_ready(struct pool *);
/* The answer goes to upgrade_answer. -EPIPE: no mold could run it. */
int hooks_before_exec(struct pool *);

/* Before the loop sleeps: sends the next one when the mold is free. */
void hooks_step(struct pool *);
/* HOOKED came. */
void hooks_done(struct pool *, struct moldlink *, const struct rfk_hook *);
/* Its mold has ended: what was under way there will not come back. */
void hooks_lost(struct pool *, struct moldlink *);
/* Nothing waits that the current mold could still take. */
bool hooks_idle(const struct pool *);

#endif
