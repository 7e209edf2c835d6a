/*
 * input.h - rack.input: a StringIO for a body in memory, a File without a name
 * for a larger one, one shared empty StringIO for none. All binary, all
 * rewindable.
 *
 * Runs in:    worker
 * Owns:       the empty one, registered with the collector
 * After fork: inherited with the heap
 * Raises:     input_open_raises, input_build_raises
 */
#ifndef RACK_INPUT_H
#define RACK_INPUT_H

#include <ruby/ruby.h>

struct call;

VALUE input_open_raises(VALUE unused);
VALUE input_none(void);
/* The file's descriptor belongs to call->input from then on. */
VALUE input_build_raises(struct call *);
void input_close_raises(struct call *);

#endif
