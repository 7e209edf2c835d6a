/* gcwatch.c - GC_START, GC_ENTER and GC_EXIT, or GC.total_time. */
#include "ruby/gcwatch.h"

#include <stdbool.h>
#include <time.h>

#include <ruby/debug.h>
#include <ruby/ruby.h>
#include <ruby/version.h>

#include "ruby/try.h"

/* Until 3.3 a tracepoint of the collector's slows each allocation by 11 ns. */
#define HAS_FREE_EVENTS                                                        \
	(RUBY_API_VERSION_MAJOR > 3 ||                                         \
	    (RUBY_API_VERSION_MAJOR == 3 && RUBY_API_VERSION_MINOR >= 3))

/* One collector in a process; every thread that enters it holds the GVL. */
static struct {
	bool is_open;
#if HAS_FREE_EVENTS
	int depth;
	uint64_t entered_ns;
#else
	ID total_time;
	VALUE state, none; /* Symbols: static ones are not collected */
	bool is_sweeping;  /* a collection begun is not at its end */
#endif
	struct gcwatch seen;
} own;

uint64_t
gcwatch_cpu_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

#if HAS_FREE_EVENTS

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

#else

static VALUE
open_raises(VALUE unused)
{
	(void)unused;
	own.total_time = rb_intern("total_time");
	own.state = ID2SYM(rb_intern("state"));
	own.none = ID2SYM(rb_intern("none"));
	return Qnil;
}

static VALUE
total_raises(VALUE unused)
{
	(void)unused;
	own.seen.cpu_ns = NUM2ULL(rb_funcallv(rb_mGC, own.total_time, 0, NULL));
	return Qnil;
}

/* Where nothing was begun and nothing goes on, nothing is asked. */
static void
look(void)
{
	uint64_t starts = (uint64_t)rb_gc_count();

	if (!own.is_open || (starts == own.seen.starts && !own.is_sweeping))
		return;
	own.seen.starts = starts;
	own.is_sweeping = rb_gc_latest_gc_info(own.state) != own.none;
	(void)ruby_try(total_raises, NULL, NULL);
}

#endif

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
#if !HAS_FREE_EVENTS
	look();
#endif
	return own.seen;
}
