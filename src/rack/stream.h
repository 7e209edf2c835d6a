/*
 * stream.h - what a streaming body (call) gets: write and <<, read, flush,
 * close and its halves, closed?.
 *
 * Runs in:    worker
 * Owns:       nothing; it loses its call when that ends
 * After fork: no call runs then
 * Raises:     its functions do
 */
#ifndef RACK_STREAM_H
#define RACK_STREAM_H

#include <ruby/ruby.h>

struct call;

VALUE stream_open_raises(VALUE unused); /* defines the class */
VALUE stream_object_raises(struct call *);

#endif
