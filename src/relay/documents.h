/*
 * documents.h - the documents that an editor has open, as full text, edited as
 * it edits them: what a new worker is told.
 *
 * Runs in:    reforkctl
 * Owns:       its documents, until documents_fini
 * After fork: does not fork
 * Raises:     never
 */
#ifndef RELAY_DOCUMENTS_H
#define RELAY_DOCUMENTS_H

#include <jansson.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/fail.h"
#include "relay/text.h"

struct document {
	char *uri;
	char *language;
	json_int_t version;
	struct buf text;
};

struct documents {
	struct document *at; /* in the order in which they were opened */
	size_t n, cap;
};

void documents_fini(struct documents *);
/*
 * The params of textDocument/didOpen, didChange and didClose: 0, -ENOMEM, or
 * -EINVAL with why: what is wrong was left out, the rest is done.
 */
int documents_open(struct documents *, const json_t *params, struct fail *why);
int documents_change(struct documents *, const json_t *params,
    enum text_encoding, struct fail *why);
int documents_close(struct documents *, const json_t *params, struct fail *why);
/* One didOpen for each, framed: 0, -ENOMEM. */
int documents_replay(const struct documents *, struct buf *out);

#endif
