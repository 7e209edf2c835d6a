/*
 * line.h - a request on the control socket, read by reforkd/verbs.def.
 *
 * Runs in:    master; pure, everything in it is hostile
 * Owns:       nothing
 * After fork: unchanged
 * Raises:     never
 */
#ifndef MASTER_LINE_H
#define MASTER_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fail.h"

#define LINE_MAX_BYTES 4096

enum line_verb {
#define VERB(name, slot, scale, waits, now, help) LINE_##name,
#include <reforkd/verbs.def>
#undef VERB
	LINE_VERBS
};

struct line {
	enum line_verb verb;
	uint32_t slot;    /* UINT32_MAX = none given */
	int32_t scale_by; /* +1 or -1; 0 = scale_to counts */
	uint32_t scale_to;
	bool no_wait;
	bool now;
	const char *pool; /* its name, in the text; NULL = none given */
	const char *word; /* one of the verb's words, static; NULL = none */
};

/* Takes the text apart in place: 0, or -EPROTO and what was wrong with it. */
int line_parse(struct line *, char *text, struct fail *why);
/* Bytes up to and with the first newline, 0 = none yet, -EPROTO: too long. */
int line_length(const char *bytes, size_t len);
/* Makes those `len` bytes a string; a zero among them stays a wrong byte. */
void line_close(char *bytes, size_t len);

#endif
