/*
 * format.h - the bytes of a response, appended to a buffer.
 *
 * Runs in:    worker
 * Owns:       nothing; the buffer is the caller's
 * After fork: nothing to do
 * Raises:     never
 *
 * Every function appends all of its bytes or none, and returns 0, -ENOMEM, or
 * -EINVAL for a name or a value that no head may hold.
 */
#ifndef HTTP_FORMAT_H
#define HTTP_FORMAT_H

#include "base/buf.h"
#include "http/field.h"

#include <time.h>

/* The Date line of one second. Static storage or all zero is its start. */
struct http_date {
	time_t at;
	char line[38]; /* "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n" */
};

/*
 * "HTTP/1.1 200 OK\r\n". reason is what the application sent along (len 0 = the
 * registered one, or none at all when the code is not registered). -EINVAL
 * when code is not of three digits or reason could end the line.
 */
int format_status(struct buf *, int code, struct http_slice reason);

/* "Date: ...\r\n" of now (seconds since the epoch), made anew once a second. */
int format_date(struct buf *, struct http_date *cache, time_t now);

/*
 * "Name: value\r\n". The name must be a token; the value must hold no CR, LF or
 * NUL: one value with several lines is the caller's to split.
 */
int format_field(struct buf *, struct http_slice name, struct http_slice value);

/* "1a\r\n" before len (> 0) bytes of payload; "\r\n" behind them. */
int format_chunk(struct buf *, size_t len);
int format_chunk_end(struct buf *);

/* "0\r\n", n trailer fields, "\r\n". */
int format_last_chunk(
    struct buf *, const struct http_field *trailers, size_t n);

/*
 * A whole answer without a body for a refusal: status line, Date (cache NULL =
 * none), Content-Length: 0, Connection: close.
 */
/* unicorn's: the status line and nothing more. */
int format_error_bare(struct buf *, int code);
int format_error(struct buf *, int code, struct http_date *cache, time_t now);

/* "HTTP/1.1 100 Continue\r\n\r\n". */
int format_continue(struct buf *);

/* A whole 103 Early Hints with n fields. */
int format_early_hints(struct buf *, const struct http_field *fields, size_t n);

#endif
