/*
 * message.h - one JSON-RPC message: what it is, and the answers that are given
 * here and not by the one who was asked.
 *
 * Runs in:    reforkctl
 * Owns:       its JSON, until message_fini
 * After fork: does not fork
 * Raises:     never
 */
#ifndef RELAY_MESSAGE_H
#define RELAY_MESSAGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/fail.h"

enum message_error {
	MESSAGE_PARSE_ERROR = -32700,
	MESSAGE_INVALID = -32600,
	MESSAGE_INTERNAL_ERROR = -32603,
	MESSAGE_REQUEST_CANCELLED = -32800,
	MESSAGE_SERVER_CANCELLED = -32802,
};

enum message_kind { MESSAGE_REQUEST, MESSAGE_NOTIFICATION, MESSAGE_RESPONSE };

struct message {
	json_t *json;
	enum message_kind kind;
	const char *method; /* "" for a response */
	json_t *id;         /* borrowed; a number, a string; null of an error */
	json_t *params;     /* borrowed, may be NULL */
	/* As it came, borrowed: what is not changed is sent on as it is. */
	const char *body;
	size_t len;
};

/* 0, or -EPROTO with why. message_fini in any case. */
int message_parse(
    struct message *, const char *body, size_t len, struct fail *why);
void message_fini(struct message *);
bool message_is(const struct message *, const char *method);
/* A member of params' member: "textDocument", "uri". NULL = none. */
json_t *message_inner(
    const struct message *, const char *outer, const char *inner);

/* These append one frame: 0, -ENOMEM. */
int message_put(struct buf *, const json_t *);
int message_put_new(struct buf *, json_t *take_json); /* NULL: -ENOMEM */
int message_put_error(
    struct buf *, json_t *id, enum message_error, const char *text);
int message_put_null(struct buf *, json_t *id); /* "result": null */

#endif
