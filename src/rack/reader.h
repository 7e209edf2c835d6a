/*
 * reader.h - rewindable_input false: the application reads a body as it
 * arrives, and waits for it itself.
 *
 * The Ruby around it (read, gets, each) is Reforkd::StreamInput in rack.rb;
 * here is the one primitive that it stands on.
 *
 * Runs in:    worker
 * Owns:       nothing; call->reader points to the call, and loses it at its end
 * After fork: no call runs then
 * Raises:     its *_raises functions
 */
#ifndef RACK_READER_H
#define RACK_READER_H

#include <stdbool.h>

#include <ruby/ruby.h>

struct call;
struct ruby_error;

VALUE reader_open_raises(VALUE unused);   /* defines the class */
VALUE reader_build_raises(struct call *); /* rack.input */
/*
 * For a hijack: what has come of a body whose rest can only be read from the
 * socket, and was not read yet. A new String, empty in all other cases.
 */
VALUE reader_rest_raises(struct call *);
/* Is it what a broken body raised? Then call->refused is the answer to it. */
bool reader_is_refusal(const struct call *, const struct ruby_error *);

#endif
