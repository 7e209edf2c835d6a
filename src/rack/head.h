/*
 * head.h - the head of an answer: status line, the application's headers, and
 * how the body will be framed.
 *
 * Runs in:    worker
 * Owns:       nothing; bytes are appended to the connection's out
 * After fork: no call runs then
 * Raises:     its *_raises functions
 */
#ifndef RACK_HEAD_H
#define RACK_HEAD_H

#include <stdint.h>

#include <ruby/ruby.h>

struct buf;
struct call;

/* -1: the length of the body is not known. Sets call->framing and conn->keep.
 */
void head_begin_raises(struct call *);
void head_end_raises(struct call *, int64_t length);
/* Every header as "Name: value" lines, without those that are the server's. */
void head_fields_raises(struct call *, VALUE headers);

/* The last chunk, and each pair that may stand behind a body; nil = none. */
void head_trailers_raises(struct call *, VALUE trailers);

#endif
