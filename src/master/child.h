/*
 * child.h - one worker as the master sees it: a state, a pidfd, a channel, a
 * deadline. Every slot has two of them, one for each row of the board, so that
 * a successor can be READY before the old worker drains.
 *
 * Runs in:    master
 * Owns:       pidfd, channel, watchers
 * After fork: the master's only forks exec at once
 * Raises:     never
 */
#ifndef MASTER_CHILD_H
#define MASTER_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <ev.h>

#include "base/pidfd.h"
#include "master/lifecycle.h"

struct pool;
struct chan;
struct moldlink;
struct board_view;

struct child {
	struct pool *pool;
	uint32_t slot; /* worker.nr */
	uint32_t row;
	enum life_state state;
	uint32_t generation;
	uint64_t token;        /* of the FORK that made it */
	struct moldlink *mold; /* while FORKING: who was asked */
	pid_t pid;             /* for logs and people */
	int pidfd;
	struct chan *chan;
	ev_io pidfd_io;
	ev_io chan_io;
	ev_timer deadline; /* of FORKING, BOOTING, MOLDING, DRAINING */
	ev_timer reaping;  /* dead, status not known yet */
	unsigned int reap_tries;
	struct pidfd_exit exit;
	bool dead;     /* the pidfd said so */
	bool expected; /* it was told to leave, or said that it would */
	bool at_once;  /* killed as an immediate stop says, no mishap */
	bool is_canary;
	bool unsafe;          /* refused the last promotion */
	uint64_t forked_ms;   /* when it was asked for; 0 = never */
	uint64_t ready_ms;    /* 0 = not READY yet */
	uint64_t drain_ms;    /* when it was told to QUIT */
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
/* The mold's report (DIED) for this worker, if it is one of ours. */
void child_report(struct child *, const struct pidfd_exit *);
/* Looks for the exit status now: after SIGCHLD, a mold's death. */
void child_look(struct child *);
void child_send(struct child *, int type); /* QUIT, REOPEN */
bool child_lives(const struct child *);    /* not VACANT */
bool child_serves(const struct child *);   /* SERVING or MOLDING */
/* "worker=3 gen=1 pid=42" into a static buffer of the caller's. */
const char *child_name(const struct child *, char *out, size_t cap);
void child_row(const struct child *, struct board_view *);

#endif
