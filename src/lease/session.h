/*
 * session.h - one lease in its worker: the client's descriptors, directory and
 * words become this process's own, then the pool's block runs until it ends.
 *
 * The program is the block: signals have Ruby's own meaning in it, and the
 * channel is not read. A thread of C looks for the master's end.
 *
 * Runs in:    worker
 * Owns:       the descriptors of the lease, until they are 0, 1 and 2
 * After fork: session_forget in a copy that becomes a mold
 * Raises:     never
 */
#ifndef LEASE_SESSION_H
#define LEASE_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include <reforkd/proto.h>

#include "base/buf.h"
#include "base/leaseline.h"

struct worker;

struct session {
	bool pending; /* LEASE has come, the block has not begun */
	bool running;
	uint64_t id;
	uint32_t umask;             /* UINT32_MAX = as it is */
	int fds[LEASELINE_FDS_MAX]; /* by enum leaseline_fd, -1 = none */
	struct buf fields;          /* "name=value" NUL ... */
};

void session_init(struct session *);
void session_fini(struct session *);
/* What LEASE said: 0, or -EPROTO. Takes the descriptors either way. */
int session_take(
    struct session *, const struct rfk_msg *, int *take_fds, int nfds);
/* Runs it to its end: the status to leave with; *signo to end by, or 0. */
int session_run(struct session *, struct worker *, int *signo);

/* In a copy that becomes a mold: nothing of the client's is left. */
void session_forget(struct session *);

/* promotion.c: Reforkd.promote, and what a copy goes back to. */
int promotion_define(struct worker *); /* 0, -ECANCELED (logged) */
void promotion_remember(void);         /* before the client's things come */
void promotion_over(void);             /* the block has ended */
void promotion_undo(void);

/* guard.c: ends the session when the master has been gone for limit_ms. */
void guard_start(int channel, uint64_t limit_ms, uint64_t within_ms);

#endif
