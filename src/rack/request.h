/*
 * request.h - the head and the body of one request, as they arrive.
 *
 * A body lies in memory up to client_body_buffer_size, else in a file without
 * a name. Bodies are complete before the application is called, unless it reads
 * them itself (is_streamed, reader.h).
 *
 * Runs in:    worker
 * Owns:       the body's memory and file
 * After fork: the candidate calls request_reset
 * Raises:     never
 */
#ifndef RACK_REQUEST_H
#define RACK_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include <reforkd/settings.h>

#include "base/buf.h"
#include "http/chunked.h"
#include "http/head.h"

struct rack;

struct request {
	size_t head_len; /* 0 = not complete */
	size_t searched; /* of the buffer, for the end of the head */
	bool has_body;
	bool is_chunked;
	bool expects_continue;
	bool is_streamed; /* rewindable_input false: kept in memory until it is
			     read */
	int64_t content_length;
	uint64_t body_len; /* that is here, decoded */
	struct buf body;   /* unless file >= 0 */
	int file;
	struct chunked chunked;
	char *trailers; /* what chunked was lent, made when it is needed */
};

void request_init(struct request *);
void request_fini(struct request *);
void request_reset(struct request *); /* for the next one */
/*
 * Looks for a complete head in `in` and parses it into rack->head: 1, 0 = more
 * is needed, or -status to refuse it with.
 */
int request_head(struct request *, struct rack *, const struct buf *in);
/*
 * Takes bytes of the body. 1 = it is complete, 0, or -status; *used is how many
 * of the bytes belong to it.
 */
int request_body(struct request *, const struct rfk_settings_table *,
    const char *bytes, size_t len, size_t *used);
bool request_is_complete(const struct request *);
/* The most bytes that the next read may bring. */
size_t request_wants(const struct request *, size_t most);

#endif
