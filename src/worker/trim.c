/*
 * trim.c - memory that malloc holds and nobody uses goes back to the kernel.
 *
 * A major collection is what frees it; walking the arenas costs milliseconds
 * and makes later requests fault pages in again, so it waits until there is
 * nothing to do, and happens once for each major collection at most.
 */
#include "worker/worker.h"

#include <malloc.h>

#include <ruby/ruby.h>

#include "base/clock.h"
#include "base/log.h"
#include "ruby/try.h"

#define TRIM_EVERY_MS 10000

static VALUE
majors_raises(VALUE p)
{
	*(uint64_t *)p = rb_gc_stat(ID2SYM(rb_intern("major_gc_count")));
	return Qnil;
}

void
trim_now(struct worker *w)
{
	uint64_t began_us = clock_us();
	int freed = malloc_trim(0);

	log_debug("worker=%u gen=%u: malloc_trim %s in %llu us", w->self->slot,
	    w->self->generation, freed ? "gave memory back" : "found nothing",
	    (unsigned long long)(clock_us() - began_us));
}

void
trim_waiting(struct worker *w, uint64_t now_ms)
{
	uint64_t majors = 0;

	if (w->self->settings.malloc_trim == 0 ||
	    now_ms - w->trim_ms < TRIM_EVERY_MS ||
	    ruby_try(majors_raises, &majors, NULL) < 0)
		return;
	w->trim_ms = now_ms;
	/* The first look only learns what the mold has done. */
	if (w->trim_majors != 0 && majors > w->trim_majors - 1)
		trim_now(w);
	w->trim_majors = majors + 1;
}
