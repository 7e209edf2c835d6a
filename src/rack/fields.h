/*
 * fields.h - a request's header and trailer fields in its environment.
 *
 * Runs in:    worker
 * Owns:       nothing
 * After fork: opened again by each worker, with the environment
 * Raises:     its functions do, but for fields_open, and own nothing
 */
#ifndef RACK_FIELDS_H
#define RACK_FIELDS_H

#include <stdbool.h>

#include <ruby/ruby.h>

#include <reforkd/proto.h>

#include "http/field.h"

struct call;

void fields_open(enum rfk_personality);
/* A value in the encoding of the personality. */
VALUE fields_string_raises(struct http_slice);
/* The head's, into call->env; what a proxy says of its side goes to is_https,
 * which is left alone otherwise. */
void fields_put_raises(struct call *, bool *is_https);
/* What came behind a chunked body, when that is complete. */
void fields_trailers_raises(struct call *);
/* rack.protocol: what Upgrade lists. */
void fields_protocol_raises(struct call *);

#endif
