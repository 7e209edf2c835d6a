/*
 * restart.h - `reforkctl restart`: the master becomes the program that is on
 * disk now, with the same pid; nobody else notices.
 *
 *   NONE -> CHECKING -> WAITING -> exec
 *
 * CHECKING: that program, in a process of its own, says whether it could go on
 * from here (takeover.h), with the workers there are or beside them
 * (strangers.h). WAITING: until no fork, refork or drain of listeners
 * is half done. Until the exec everything can be taken back, and a failure is
 * only said. Signals stay blocked over the exec, so that none is lost; molds
 * and workers see their channels stay open.
 *
 * Runs in:    master
 * Owns:       the process that checks, and what it says
 * After fork: its fork execs at once
 * Raises:     never
 */
#ifndef MASTER_RESTART_H
#define MASTER_RESTART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <ev.h>

#include "base/fail.h"

struct control_client;
struct master;

enum restart_stage { RESTART_NONE, RESTART_CHECKING, RESTART_WAITING };

struct restarting {
	enum restart_stage stage;
	struct control_client *client; /* who waits; NULL = nobody */
	char who[96];
	pid_t pid; /* of the check; 0 = none */
	int pidfd;
	int ear; /* its stderr, -1 = none */
	char said[2048];
	size_t said_len;
	ev_io io, ear_io;
	ev_timer limit;
};

void restart_init(struct master *);
/* 0 = begun; else -errno and *why. client: is told the outcome, or NULL. */
int restart_start(struct master *, struct control_client *client,
    const char *who, struct fail *why);
void restart_step(struct master *); /* before the loop sleeps */
bool restart_under_way(const struct master *);
void restart_cancel(struct master *, const char *why);
void restart_forget(struct master *, const struct control_client *);
/* A zombie: true when it was the check's. */
bool restart_look(struct master *, pid_t);

#endif
