/*
 * child.h - one worker as the master sees it: a process and the state of its
 * life. Every slot has two of them, one for each row of the board, so that
 * a successor can be READY before the old worker drains.
 *
 * Runs in:    master
 * Owns:       its process
 * After fork: the master's only forks exec at once
 * Raises:     never
 */
#ifndef MASTER_CHILD_H
#define MASTER_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "master/lifecycle.h"
#include "master/overdue.h"
#include "master/process.h"

struct lease;
struct pool;
struct rfk_ask;
struct moldlink;
struct board_view;
struct handover_process;

struct child {
	struct pool *pool;
	uint32_t slot; /* worker.nr */
	uint32_t row;  /* within its pool: 2 * slot, or + 1 */
	enum life_state state;
	enum life_state was; /* before it was killed or died */
	uint32_t generation;
	uint64_t token;         /* of the FORK that made it */
	unsigned int reopens;   /* the pool's, when it was forked, or forks */
	struct moldlink *mold;  /* while FORKING: who was asked */
	struct process process; /* from SPAWNED on */
	struct lease *lease;    /* a client has it; NULL = none */
	bool offers;            /* and it waits to be promoted */
	bool expected;        /* it was told to leave, or said that it would */
	bool at_once;         /* killed as an immediate stop says, no mishap */
	bool told_to_end;     /* by the signal of its family, before any KILL */
	enum overdue overdue; /* past its limit: how it is ended */
	bool is_canary;
	bool unsafe;                /* refused the last promotion */
	unsigned int refusals;      /* in this succession */
	unsigned int refusals_said; /* of them, in the log */
	uint64_t refused_for;       /* hash of the reason said last */
	uint64_t forked_ms;         /* when it was asked for; 0 = never */
	uint64_t ready_ms;          /* 0 = not READY yet */
	uint64_t drain_ms;          /* when it was told to QUIT */
	char killed_for[160]; /* why SEND_KILL was sent, for the obituary */
};

void child_init(struct child *, struct pool *, uint32_t slot, uint32_t row);
/* Feeds the table; -EPROTO when the pair has no row (logged). */
int child_event(struct child *, enum life_event);
/* With the reason that the log and the obituary will name. */
void child_kill(struct child *, enum life_event, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The mold has made it: takes both descriptors. */
int child_spawned(struct child *, pid_t, int take_pidfd, int take_chan_fd);
/* One of the program before: 0, -errno. */
int child_resume(struct child *, const struct handover_process *);
void child_send(struct child *, int type);             /* QUIT, REOPEN */
int child_ask(struct child *, const struct rfk_ask *); /* 0, -errno */
bool child_lives(const struct child *);                /* not VACANT */
bool child_serves(const struct child *);               /* SERVING or MOLDING */
/* "worker=3 gen=1 pid=42" into a static buffer of the caller's. */
const char *child_name(const struct child *, char *out, size_t cap);
void child_row(const struct child *, struct board_view *);

#endif
