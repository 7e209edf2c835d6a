/*
 * request.h - the outgoing half of an exchange, written as the socket takes it.
 *
 * Runs in:    t/load
 * Owns:       nothing; the body stays in body.c's block
 * After fork: never forks
 * Raises:     never
 */
#ifndef T_LOAD_REQUEST_H
#define T_LOAD_REQUEST_H

#include "plan.h"

enum request_progress {
	REQUEST_BLOCKED, /* wait until the socket is writable */
	REQUEST_PAUSED,  /* at request_pause_at; clear it to go on */
	REQUEST_SENT,
};

struct request {
	const struct plan *plan; /* borrowed */
	char small[768];         /* head, or the frame of a chunk */
	size_t small_len, small_at;
	const unsigned char *data;
	size_t data_left; /* in this chunk, or in all */
	size_t unframed;  /* body bytes no chunk announced yet */
	size_t sent;
	size_t head_len;
	size_t pause_at; /* in bytes sent, 0 = nowhere */
	bool ended;      /* nothing follows what small and data hold */
};

void request_begin(struct request *, const struct plan *, const char *path);
int request_write(struct request *, int fd); /* request_progress, -errno */

#endif
