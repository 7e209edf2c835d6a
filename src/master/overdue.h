/*
 * overdue.h - a worker that is past its limit, until it has gone.
 *
 * KILL ends it at once, unless the file wants to look at it first
 * (after_worker_hard_timeout) or names another signal (timeout_signal): a mold
 * is asked then, for hook_timeout at most, and who has not gone spawn_timeout
 * after that signal is killed.
 *
 * Runs in:    master
 * Owns:       nothing
 * After fork: the master's only forks exec at once
 * Raises:     never
 */
#ifndef MASTER_OVERDUE_H
#define MASTER_OVERDUE_H

#include <stdbool.h>
#include <stdint.h>

struct board_view;
struct child;
struct pool;
struct rfk_hook;

enum overdue {
	OVERDUE_NOT,
	OVERDUE_FOUND,     /* the settings' signal is the one to send */
	OVERDUE_ASKED,     /* a mold is asked first, */
	OVERDUE_WAITING,   /* and has not answered yet */
	OVERDUE_SIGNALLED, /* by another signal than KILL */
};

/* The watchdog has found it: logged, and on its way to LIFE_KILLED. */
void overdue_unit(struct child *, const struct board_view *, uint64_t now_ms);
void overdue_silent(struct child *, const struct board_view *, uint64_t now_ms);
/* Its end, from the table: false = KILL it. */
bool overdue_holds(struct child *);
/* HOOKED came: `status` is a signal, 0 = the settings'. */
void overdue_answer(struct pool *, const struct rfk_hook *);

#endif
