/*
 * chunked.h - the chunked transfer coding, decoded as it arrives.
 *
 * Runs in:    worker
 * Owns:       nothing: payload stays in the caller's input, trailers go into
 *             memory that the caller lent to chunked_init
 * After fork: nothing to do
 * Raises:     never
 */
#ifndef HTTP_CHUNKED_H
#define HTTP_CHUNKED_H

#include "http/field.h"

#include <stdint.h>
#include <sys/types.h>

enum chunked_state {
	CHUNKED_SIZE,      /* the first digit of a size */
	CHUNKED_DIGITS,    /* the further ones */
	CHUNKED_EXT_BLANK, /* whitespace, which only a ";" may follow */
	CHUNKED_EXT,       /* the extension, which nobody reads */
	CHUNKED_SIZE_LF,   /* CR was seen behind the size */
	CHUNKED_DATA,      /* left bytes of payload */
	CHUNKED_DATA_CR,   /* the CRLF behind the payload */
	CHUNKED_DATA_LF,
	CHUNKED_LINE,       /* at the start of a trailer line, or of the end */
	CHUNKED_TRAILER,    /* inside a trailer line */
	CHUNKED_TRAILER_LF, /* CR was seen in it */
	CHUNKED_END_LF,     /* CR of the last empty line was seen */
	CHUNKED_DONE,
	CHUNKED_BROKEN /* it returned an error, and goes on doing so */
};

struct chunked {
	enum chunked_state state;
	unsigned digits; /* of the size so far */
	uint64_t left;   /* bytes of this chunk that are still to come */
	uint64_t total;  /* bytes of payload given out */
	int64_t excess;  /* bytes of framing beyond what payload pays for */
	char *trailers;  /* borrowed */
	size_t trailers_len;
	size_t trailers_cap;
};

/*
 * Framing costs at least five bytes a chunk. What goes beyond 16 bytes a chunk
 * and twice its payload adds up, and above this many bytes the sender is not
 * sending a body but keeping us busy.
 */
#define CHUNKED_EXCESS_MAX 16384

/*
 * Starts a body. trailers (cap bytes, borrowed until the body ends, may be NULL
 * with cap 0) takes the trailer section as it came.
 */
void chunked_init(struct chunked *, char *trailers, size_t cap);

/*
 * Decodes up to len bytes of `in` and stops behind the first piece of payload,
 * which *data names inside `in` (len 0 = none this time). Returns how many
 * bytes were consumed: feed the rest again, until it is empty or
 * chunked_is_done. What follows the body is not consumed, so that 0 with input
 * left means done.
 *
 * -EPROTO: malformed. -EMSGSIZE: too much framing, or trailers above their cap.
 */
ssize_t chunked_feed(
    struct chunked *, const char *in, size_t len, struct http_slice *data);

bool chunked_is_done(const struct chunked *);

/*
 * The trailer fields of a body that is done, as slices into the memory lent to
 * chunked_init: their number, -EPROTO when they are malformed or one of them is
 * Content-Length, Transfer-Encoding or Host (also spelt with underscores),
 * which must not come so late, -E2BIG when there are more than cap.
 */
int chunked_trailers(
    const struct chunked *, struct http_field *fields, size_t cap);

#endif
