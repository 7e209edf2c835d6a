/*
 * response.h - what the application answered, as bytes for the client.
 *
 * Runs in:    worker
 * Owns:       nothing; bytes go to the connection's out, which owns them
 * After fork: no call runs then
 * Raises:     its functions do
 */
#ifndef RACK_RESPONSE_H
#define RACK_RESPONSE_H

#include <stddef.h>

#include <ruby/ruby.h>

struct call;

/* Status, headers and body of the call; hijacked responses too. */
void response_raises(struct call *);
/* Payload of a body, framed as the head promised. */
void response_write_raises(struct call *, const char *, size_t);
/* A 103 with these headers, at once. */
void response_hints_raises(struct call *, VALUE headers);

#endif
