#include "worker/extend.h"

#include <stdatomic.h>
#include <unistd.h>

#include <ruby/ruby.h>

#include "base/clock.h"
#include "ipc/board.h"
#include "ruby/try.h"
#include "worker/worker.h"

/* As far as `timeout` goes. */
#define EXTENDED_MAX_MS 2592000000ull

static const struct self *own;

/* The row, when a unit with a deadline runs in this very process. */
static struct rfk_row *
row_in_unit(void)
{
	struct rfk_row *row = own->role == ROLE_WORKER ? own->my_row : NULL;

	if (row == NULL ||
	    atomic_load_explicit(&row->pid, memory_order_relaxed) != getpid() ||
	    atomic_load_explicit(&row->deadline_ms, memory_order_relaxed) == 0)
		return NULL;
	return row;
}

/* Seconds of CLOCK_MONOTONIC at which the soft limit passes. */
static VALUE
unit_deadline_raises(VALUE unused)
{
	const struct rfk_row *row = row_in_unit();
	int64_t hard_ms = own->settings.timeout;
	int64_t soft_ms = settings_soft_ms(&own->settings);
	uint64_t due_ms;

	(void)unused;
	if (row == NULL)
		return Qnil;
	due_ms = atomic_load_explicit(&row->deadline_ms, memory_order_relaxed);
	if (soft_ms > 0 && soft_ms < hard_ms)
		due_ms -= (uint64_t)(hard_ms - soft_ms);
	return DBL2NUM((double)due_ms / 1e3);
}

/* Both limits move. nil: nothing runs that has one. */
static VALUE
unit_extend_raises(VALUE unused, VALUE seconds)
{
	struct rfk_row *row = row_in_unit();
	double extra_ms = NUM2DBL(seconds) * 1e3;
	uint64_t now_ms = clock_ms(), was_ms;
	double due_ms;

	(void)unused;
	if (row == NULL)
		return Qnil;
	was_ms = atomic_load_explicit(&row->deadline_ms, memory_order_relaxed);
	due_ms = (double)was_ms + extra_ms;
	if (!(due_ms > (double)now_ms))
		due_ms = (double)now_ms;
	if (due_ms > (double)(now_ms + EXTENDED_MAX_MS))
		due_ms = (double)(now_ms + EXTENDED_MAX_MS);
	board_unit_extend(row, (uint64_t)due_ms);
	if (due_ms < (double)was_ms)
		watchman_poke();
	return Qtrue;
}

/* Tells a unit from the next one: when it began. nil: none runs. */
static VALUE
unit_raises(VALUE unused)
{
	const struct rfk_row *row = row_in_unit();

	(void)unused;
	if (row == NULL)
		return Qnil;
	return ULL2NUM(
	    atomic_load_explicit(&row->unit_ms, memory_order_relaxed));
}

static VALUE
define_raises(VALUE unused)
{
	VALUE module = rb_define_module("Reforkd");

	(void)unused;
	rb_define_singleton_method(module, "unit", unit_raises, 0);
	rb_define_singleton_method(
	    module, "unit_deadline", unit_deadline_raises, 0);
	rb_define_singleton_method(
	    module, "unit_extend", unit_extend_raises, 1);
	return Qnil;
}

int
extend_define(const struct self *self, struct ruby_error *why)
{
	own = self;
	return ruby_try(define_raises, NULL, why);
}
