/*
 * moldlink.h - a mold as the master sees it. It is either exec'd (generation
 * by boot) or a candidate that a worker has forked (generation by promotion).
 *
 * Runs in:    master
 * Owns:       its process, the settings it sent
 * After fork: the master's only forks exec at once
 * Raises:     never
 */
#ifndef MASTER_MOLDLINK_H
#define MASTER_MOLDLINK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <ev.h>

#include <reforkd/settings.h>

#include "base/buf.h"
#include "base/fail.h"
#include "master/process.h"

struct pool;
struct child;
struct rfk_hook;
struct rfk_ask;
struct hook_call;
struct handover_process;

enum mold_state {
	MOLD_EVALUATING, /* exec'd; SETTINGS to come */
	MOLD_BINDING,    /* SETTINGS came; a listener is tried again */
	MOLD_LOADING,    /* CONFIGURED was sent; or a candidate that prepares */
	MOLD_READY,
	MOLD_STOPPING, /* STOP was sent */
	MOLD_KILLED,
};

struct moldlink {
	struct pool *pool;
	enum mold_state state;
	uint32_t generation;
	unsigned int reopens; /* the pool's, when it was forked or exec'd */
	bool by_boot;         /* exec'd by the master */
	struct process process;
	ev_timer binding; /* a listener's address is taken: tried again */
	bool check_only;  /* -t: SETTINGS is all that is wanted */
	uint64_t born_ms;
	uint64_t ready_ms;
	struct child
	    *forking; /* one FORK at a time, so that each has its time */
	struct hook_call *hook; /* under way there; hooks.c's */
	bool hook_is_late;      /* its deadline has passed */
	int state_fd;           /* the last STATE it sent, -1 = none */
	uint64_t state_bytes;
	struct rfk_settings_table settings; /* by_boot, from SETTINGS on */
	struct buf block;                   /* the same, as it came */
	bool has_settings;
	struct fail why; /* FAILED's text, or what the master says of its end */
	bool is_config_error;
	bool has_said; /* it has logged the same text, with its backtrace */
};

/* Forks and execs reforkd-mold; it appears through moldlink events. NULL: *why.
 */
struct moldlink *moldlink_boot(
    struct pool *, uint32_t generation, struct fail *why);
/* Takes over a candidate that PROMOTED named. */
struct moldlink *moldlink_adopt(struct pool *, uint32_t generation, pid_t,
    int take_pidfd, int take_chan_fd);
/* One that was the current mold of the program before: NULL = no memory. */
struct moldlink *moldlink_resume(
    struct pool *, const struct handover_process *);
/* Asks for a worker: 0, -EBUSY (one is under way), -errno. */
int moldlink_fork(struct moldlink *, struct child *);
void moldlink_stop(struct moldlink *, bool run_at_exit);
void moldlink_kill(struct moldlink *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void moldlink_reopen(struct moldlink *);
int moldlink_hook(struct moldlink *, const struct rfk_hook *, const char *text);
/* A candidate knows what a worker knew: it gets the mold's variables. */
void moldlink_state(struct moldlink *);
int moldlink_ask(struct moldlink *, const struct rfk_ask *); /* 0, -errno */
void moldlink_no_listeners(
    struct moldlink *); /* full stop: closes its copies */
bool moldlink_usable(const struct moldlink *); /* READY and alive */

#endif
