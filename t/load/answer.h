/*
 * answer.h - reads one response as it arrives and checks every byte of it.
 *
 * Runs in:    t/load
 * Owns:       nothing
 * After fork: never forks
 * Raises:     never
 */
#ifndef T_LOAD_ANSWER_H
#define T_LOAD_ANSWER_H

#include "plan.h"

#include <sys/types.h>

enum answer_state {
	ANSWER_MORE,
	ANSWER_CONTINUE, /* a 100 came; the final one is still to come */
	ANSWER_DONE,
	ANSWER_STATUS, /* complete head, but not 200 */
	ANSWER_WRONG,  /* malformed, or a byte that should not be there */
};

enum answer_phase {
	PHASE_HEAD,
	PHASE_FIXED,
	PHASE_TO_EOF,
	PHASE_CHUNK_SIZE,
	PHASE_CHUNK,
	PHASE_CHUNK_END,
	PHASE_TRAILER,
	PHASE_OVER,
};

struct answer {
	enum answer_phase phase;
	char head[4096]; /* head, chunk size line or trailer line */
	size_t head_len;
	int status;
	bool close;    /* the server announced that it closes */
	bool any;      /* at least one byte came */
	size_t left;   /* of Content-Length or of the chunk */
	size_t at;     /* body bytes checked */
	char line[96]; /* first line of the body */
	size_t line_len;
	const char *id; /* borrowed from the plan */
	size_t id_len;
	size_t expected; /* length of the whole body */
	bool any_body;   /* nothing is known about it */
	const char *why;
};

void answer_begin(struct answer *, const struct plan *);
enum answer_state answer_feed(struct answer *, const char *, size_t);
/* The peer has closed: ANSWER_DONE, ANSWER_WRONG, or ANSWER_MORE = cut off. */
enum answer_state answer_eof(struct answer *);

#endif
