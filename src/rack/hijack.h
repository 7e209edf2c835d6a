/*
 * hijack.h - the objects through which an application reaches its connection:
 * rack.hijack, rack.early_hints, and the socket itself.
 *
 * Each points to the running call and loses it when the call ends, so that one
 * that is kept cannot reach the next request.
 *
 * Runs in:    worker
 * Owns:       nothing
 * After fork: no call runs then
 * Raises:     its *_raises functions
 */
#ifndef RACK_HIJACK_H
#define RACK_HIJACK_H

#include <ruby/ruby.h>

struct call;

VALUE hijack_open_raises(VALUE unused); /* defines the classes */
VALUE hijack_object_raises(struct call *);
VALUE hijack_hints_raises(struct call *);
/* The client's connection as a Ruby socket; it is the application's now. */
VALUE hijack_socket_raises(struct call *);
/* An object that points to the call, of one of our classes, and its end. */
VALUE hijack_wrap_raises(VALUE class, struct call *);
struct call *hijack_call_raises(VALUE object); /* IOError when it has ended */
void hijack_detach(VALUE object);

#endif
