/*
 * record.h - one line of the control socket's answers: "KIND name=value ...",
 * values %-escaped.
 *
 * Runs in:    reforkctl (reads), master (writes)
 * Owns:       nothing: it points into the line it was made from
 * After fork: unchanged
 * Raises:     never
 */
#ifndef BASE_RECORD_H
#define BASE_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define RECORD_FIELDS_MAX 64

struct record {
	const char *kind;
	size_t n;
	struct {
		const char *name;
		const char *value; /* unescaped */
	} field[RECORD_FIELDS_MAX];
};

/* Takes the line apart in place (no newline): 0, or -EPROTO. */
int record_parse(struct record *, char *line);
const char *record_get(const struct record *, const char *name); /* or NULL */

/* The writer's side: record_begin, then fields. 0, -ENOMEM. */
int record_begin(struct buf *, const char *kind);
int record_text(struct buf *, const char *name, const char *value);
int record_count(struct buf *, const char *name, uint64_t value);
int record_signed(struct buf *, const char *name, int64_t value);

#endif
