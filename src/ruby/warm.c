#include "ruby/warm.h"

#include <errno.h>
#include <malloc.h>

#include <ruby/ruby.h>

#include "base/clock.h"
#include "base/log.h"
#include "ruby/try.h"

struct warming {
	bool compact;
};

/*
 * Working out a string's coderange writes into its header: done here once, no
 * child pays a page for it. Only an object whose class is String is asked; a
 * subclass may have overridden what we call.
 */
static VALUE
scan_raises(RB_BLOCK_CALL_FUNC_ARGLIST(str, unused))
{
	(void)unused;
	(void)argc;
	(void)argv;
	(void)blockarg;
	if (rb_obj_class(str) == rb_cString)
		rb_funcall(str, rb_intern("valid_encoding?"), 0);
	return Qnil;
}

static void
coderanges_raises(void)
{
	VALUE space = rb_const_get(rb_cObject, rb_intern("ObjectSpace"));
	VALUE string = rb_cString;

	rb_block_call(
	    space, rb_intern("each_object"), 1, &string, scan_raises, Qnil);
}

static VALUE
warm_raises(VALUE p)
{
	const struct warming *w = (const struct warming *)p;
	ID warmup = rb_intern("warmup");
	ID compact = rb_intern("compact");
	int i;

	/* Compacting before Process.warmup made it worse: never both. */
	if (w->compact && rb_respond_to(rb_mProcess, warmup)) {
		rb_funcall(rb_mProcess, warmup, 0);
		return Qnil;
	}
	rb_gc_start();
	if (w->compact && rb_respond_to(rb_mGC, compact))
		rb_funcall(rb_mGC, compact, 0);
	for (i = 0; i < 3; i++) /* three more make every survivor old */
		rb_gc_start();
	coderanges_raises();
	return Qnil;
}

int
warm_heap(bool compact, uint64_t *took_us)
{
	struct warming w = { .compact = compact };
	struct ruby_error why;
	uint64_t began = clock_us();
	int rc = ruby_try(warm_raises, &w, &why);

	if (rc < 0)
		ruby_error_log("heap preparation", &why);
	malloc_trim(0);
	*took_us = clock_us() - began;
	return rc;
}
