/*
 * session.h - an editor's session, independent of the worker that serves it.
 *
 * It reads what both sides say, appends to two buffers what each of them is to
 * hear, and knows as much of the session as a new worker has to be told:
 * initialize and its result, the configuration, the open documents, the
 * requests that nobody has answered. No descriptors here: ctl/relay.c moves the
 * bytes.
 *
 * Workers are numbered from 1; the requests of worker 4 are the editor's
 * "g4:ID", so that an answer to a dead worker reaches nobody.
 *
 * Runs in:    reforkctl
 * Owns:       the session's state, both buffers
 * After fork: does not fork
 * Raises:     never
 */
#ifndef RELAY_SESSION_H
#define RELAY_SESSION_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/fail.h"
#include "relay/asked.h"
#include "relay/documents.h"
#include "relay/known.h"
#include "relay/message.h"
#include "relay/text.h"

struct session {
	struct buf to_editor, to_worker;  /* the caller drops what is written */
	void (*note)(const char *text);   /* for the human: what was odd */
	uint64_t number;                  /* of the worker */
	json_t *initialize, *result;      /* the request; what it brought */
	json_t *initialized, *configured; /* notifications, the last of each */
	struct documents documents;
	enum text_encoding encoding;
	struct asked asked;
	struct known known;
	bool replaying; /* the worker has not answered initialize yet */
	bool settling;  /* nor what was sent behind the documents */
	bool leaving;   /* shutdown or exit was said: no worker comes after */
	bool exited;    /* exit was */
};

int session_init(struct session *, void (*note)(const char *)); /* -ENOMEM */
void session_fini(struct session *);

/* One message of the editor's: 0, -ENOMEM. What is wrong with it is noted. */
int session_hear_editor(struct session *, const char *body, size_t len);
/*
 * One message of the worker's: 0, -ENOMEM, or -EPROTO with why: it is not to be
 * relied upon any more.
 */
int session_hear_worker(
    struct session *, const char *body, size_t len, struct fail *why);
/*
 * The worker has gone, or is let go: what it was told and nobody else may be
 * asked is answered; its part of both buffers is forgotten. 0, -ENOMEM.
 */
int session_lose_worker(struct session *);
/* Another one is there: it is told about initialize first. 0, -ENOMEM. */
int session_take_worker(struct session *);
/*
 * The worker has the documents: it may be asked. By itself this happens when it
 * says so; the caller does not wait for ever. 0, -ENOMEM.
 */
int session_settle(struct session *);
/* No other one will come. 0, -ENOMEM. */
int session_give_up(struct session *, const char *text);
/* Is there anything that a worker could take over? */
bool session_has_begun(const struct session *);
bool session_is_idle(const struct session *); /* nothing in flight */

/* Between editor.c and worker.c */
void session_note(struct session *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* initialize is answered: what a worker must know before it is asked. */
int session_resume(struct session *);

#endif
