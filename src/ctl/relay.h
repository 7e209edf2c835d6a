/*
 * relay.h - a session that outlives its worker: the bytes between an editor and
 * a worker pass through here, and another worker takes over when that one dies,
 * drains or is of an older generation. What is said to it is relay/session.h's.
 *
 * Runs in:    reforkctl
 * Owns:       the leases, the pipes, the session
 * After fork: does not fork
 * Raises:     never
 */
#ifndef CTL_RELAY_H
#define CTL_RELAY_H

#include <stdbool.h>
#include <stdint.h>

#include "ctl/lease.h"
#include "relay/frame.h"
#include "relay/session.h"

/* Both of so many within a minute, and the next death is the last. */
#define RELAY_REPLACED_MAX 2

/* A worker, or one that is asked for: `in` is -1 until it is there. */
struct relay_worker {
	struct lease_link link;
	int in, out; /* what it reads, what it writes */
};

struct relay {
	const struct command *command;
	const struct lease_order *order;
	char path[SOCKPATH_MAX];
	struct session session;
	struct frame from_editor, from_worker;

	struct relay_worker now;
	bool lost;          /* `now` is no more: another one takes over */
	bool first;         /* none has been there yet */
	uint64_t told_ms;   /* since when it settles; 0 = it does not */
	uint64_t closed_ms; /* since when its output has ended; 0 = has not */
	int status, signo;  /* how it ended */

	struct relay_worker next;
	bool wanted;         /* though `now` serves */
	bool ends;           /* `now` will be ended: it is wanted soon */
	uint64_t generation; /* at least */
	uint64_t retry_ms;   /* not before */
	uint64_t until_ms;   /* the end of patience: of `lost`, of a swap */
	uint64_t replaced_ms[RELAY_REPLACED_MAX]; /* the newest first */

	bool editor_gone;
	bool done; /* with rc, or by signo */
	int rc;
};

/* What reforkctl leaves with. */
int relay_main(
    const struct command *, const struct lease_order *, const char *path);

/* relay.c, for replace.c */
void relay_note(const char *text);
void relay_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void relay_end(struct relay *, int rc, const char *text);

/* replace.c */
void relay_worker_close(struct relay_worker *);
/* The worker has gone; `text` says why. */
void replace_lost(struct relay *, const char *text);
/* There is a newer one; 0: this one will be ended, any other will do. */
void replace_want(struct relay *, uint64_t generation);
/* next.link.fd is readable. */
void replace_hear(struct relay *);
/* What is due by now; *wait_ms becomes less when something will be. */
void replace_tick(struct relay *, uint64_t now_ms, int *wait_ms);

#endif
