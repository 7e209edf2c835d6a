/* gcwatch.c - GC_START, GC_ENTER, GC_EXIT. */
#include "ruby/gcwatch.h"

#include <stdbool.h>
#include <time.h>

#include <ruby/debug.h>
#include <ruby/ruby.h>

#include "ruby/try.h"

/* One collector in a process; every thread that enters it holds the GVL. */
static struct {
	bool is_open;
	int depth;
	uint64_t entered_ns;
	struct gcwatch seen;
} own;

uint64_t
gcwatch_cpu_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Inside the collector: nothing may be allocated here. */
static void
on_event(VALUE point, void *unused)
{
	rb_event_flag_t flag =
	    rb_tracearg_event_flag(rb_tracearg_from_tracepoint(point));

	(void)unused;
	switch (flag) {
	case RUBY_INTERNAL_EVENT_GC_START:
		own.seen.starts++;
		break;
	case RUBY_INTERNAL_EVENT_GC_ENTER:
		own.seen.enters++;
		if (own.depth++ == 0)
			own.entered_ns = gcwatch_cpu_ns();
		break;
	case RUBY_INTERNAL_EVENT_GC_EXIT:
		if (own.depth > 0 && --own.depth == 0)
			own.seen.cpu_ns += gcwatch_cpu_ns() - own.entered_ns;
		break;
	default:
		break;
	}
}

static VALUE
open_raises(VALUE unused)
{
	VALUE point = rb_tracepoint_new(0,
	    RUBY_INTERNAL_EVENT_GC_START | RUBY_INTERNAL_EVENT_GC_ENTER |
		RUBY_INTERNAL_EVENT_GC_EXIT,
	    on_event, NULL);

	(void)unused;
	rb_gc_register_mark_object(point);
	rb_tracepoint_enable(point);
	return Qnil;
}

int
gcwatch_open(struct ruby_error *why)
{
	int rc;

	if (own.is_open)
		return 0;
	rc = ruby_try(open_raises, NULL, why);
	own.is_open = rc == 0;
	return rc;
}

struct gcwatch
gcwatch_read(void)
{
	return own.seen;
}
