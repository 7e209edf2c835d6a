/*
 * worker.h - the worker's loop, as the files of this folder share it.
 *
 * Runs in:    worker
 * Owns:       its loop and watches; self is the process's
 * After fork: the candidate frees it without touching the shared epoll set
 * Raises:     never
 */
#ifndef WORKER_WORKER_H
#define WORKER_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "worker/kind.h"
#include "worker/self.h"

struct watchman;

struct worker {
	struct self *self; /* borrowed */
	const struct kind *kind;
	void *state; /* the kind's */
	struct loop loop;
	struct loop_watch listeners[RFK_LISTENERS_MAX];
	struct loop_watch channel;
	struct loop_watch signals;
	bool has_queues; /* of some addresses only some sockets are its own */
	uint32_t shared_by; /* so many workers, when that was last looked at */
	int acceptable;     /* the listener that was readable, -1 = none */
	int accepted_last;
	bool accept_again; /* that one gave a connection just now */
	bool has_core;
	uint32_t gap_us;        /* mean time without anything to do */
	uint64_t awake_from_us; /* not before this is it waited for awake */
	bool is_draining;
	bool is_leaving;
	bool is_orphan; /* the master is gone */
	uint64_t drain_until_ms;
	uint64_t last_call_ms; /* handshakes under way have ended by then */
	enum rfk_exit_why why;
	int status;
	bool wants_reopen;
	bool wants_gc;
	bool is_spent; /* worker_max_requests: the master was told */
	bool wants_promotion;
	struct rfk_promote promotion;
	bool is_mold;      /* its loop was left for that */
	bool is_candidate; /* this process is the fork; return ROLE_MOLD */
	bool in_unit;
	uint64_t unit_began_us;
	uint64_t busy_since_us; /* of work without a pause, 0 = paused */
	uint64_t title_ms;
	uint64_t title_requests;
	const char *title_state; /* a literal */
	uint64_t stats_ms;
	uint64_t trim_ms;
	uint64_t trim_majors;  /* major collections seen, plus 1 */
	uint64_t volunteer_at; /* requests; 0 = the settings' first limit */
};

/* worker.c */
void worker_drain(struct worker *, enum rfk_exit_why, uint64_t limit_ms);
void worker_hurry(struct worker *, enum rfk_exit_why, int status);

/*
 * turn.c: epoll set, channel and signals; and the loop, which returns true in a
 * candidate, false when the worker leaves.
 */
int turn_open(struct worker *); /* 0, -errno */
bool turn_serve(struct worker *);

/* listen.c: the listeners, and their last call in a draining worker. */
int listen_open(struct worker *); /* 0, -errno */
/* As kind->acceptable; -EINVAL for one that is not watched. */
int listen_accept(struct worker *, int listener);
/* An event without anybody: at the end of a UNIX listener they never stop. */
void listen_look(struct worker *, int listener);
void listen_drain(struct worker *);
/* With more or fewer workers, the queues are others'. */
void listen_share(struct worker *);
void listen_forget(struct worker *); /* closes this process's copies */
/* Nothing has happened for long: somebody may wait whom nobody was told of. */
void listen_idle(struct worker *);
/* Accepts one that still waits; false when nobody can come any more. */
bool listen_rest(struct worker *);

/* idle.c: between two units, and when there is nothing to do. */
void idle_between(struct worker *, uint64_t now_us);
void idle_waiting(struct worker *, uint64_t now_ms);
void idle_title(struct worker *, const char *state); /* a literal */
void idle_reopen(struct worker *);
void idle_volunteer(struct worker *, bool by_hand); /* as the next mold */

/* trim.c: `malloc trim: true`, when there is nothing to do; and by order. */
void trim_waiting(struct worker *, uint64_t now_ms);
void trim_now(struct worker *);
/* relief.c: between two units, for the memory of the pool. */
void relief_collect(struct worker *);
void relief_spent(struct worker *);

/* promote.c: true in the candidate, which returns ROLE_MOLD. */
bool promote(struct worker *, const struct rfk_promote *);
void promote_refuse(
    struct worker *, const struct rfk_promote *, const char *why);

/*
 * signals.c: the handlers are C and one process's own. They are set by
 * signals_claim, again after the hooks, and given back to Ruby for a mold.
 */
enum signals_got {
	SIGNALS_QUIT = 1 << 0,
	SIGNALS_TERM = 1 << 1,
	SIGNALS_USR1 = 1 << 2,
	SIGNALS_USR2 = 1 << 3,
};
int signals_open(const struct self *); /* the eventfd to watch, or -errno */
void signals_claim(const struct self *);
unsigned signals_take(void); /* bits of signals_got */
void signals_drop(void);     /* after a fork, and at the end */
void signals_release(void);  /* the candidate: Ruby's own defaults again */

/*
 * watchman.c: the thread behind timeout_soft and the collector's leash. It is
 * made at the first unit of a process and reads the scoreboard row, so that a
 * unit costs it nothing.
 */
void watchman_start(const struct self *);
void watchman_wake(void); /* a unit has begun; costs nothing when it is awake */
void watchman_poke(void); /* the deadline in the row is nearer now */
void watchman_forget(void); /* after a fork: the thread was the parent's */
void watchman_stop(void);

#endif
