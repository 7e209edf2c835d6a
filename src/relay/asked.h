/*
 * asked.h - what the editor has asked and nobody has answered yet; and, while
 * a worker is missing, what it has said.
 *
 * Runs in:    reforkctl
 * Owns:       copies of the messages, until they are answered
 * After fork: does not fork
 * Raises:     never
 */
#ifndef RELAY_ASKED_H
#define RELAY_ASKED_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "relay/message.h"

struct asked_item {
	json_t *id; /* NULL: a notification, kept until it is sent */
	char *method;
	struct buf body;
	bool sent;
};

struct asked {
	struct asked_item *at; /* in the order in which they came */
	size_t n, cap;
};

void asked_fini(struct asked *);
int asked_add(struct asked *, const struct message *, bool sent); /* -ENOMEM */
/* Takes the request out, with its method in method[cap]: was it there? */
bool asked_take(struct asked *, const json_t *id, char *method, size_t cap);
/* Has any request been sent? */
bool asked_is_waited_for(const struct asked *);
/*
 * The worker that had been sent these has gone: what changes nothing may be
 * asked again, everything else is answered with an error. 0, -ENOMEM.
 */
int asked_lost(struct asked *, struct buf *to_editor);
/*
 * What is not sent yet: all (method NULL), the notifications (""), or the
 * requests of that method. 0, -ENOMEM.
 */
int asked_send(struct asked *, const char *method, struct buf *to_worker);
/* Nobody will answer any more. */
int asked_refuse(struct asked *, const char *text, struct buf *to_editor);
/* May it be asked again, though it may have been answered half? */
bool asked_is_harmless(const char *method);

#endif
