#include "ruby/warm.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <ruby/ruby.h>

#include "base/clock.h"
#include "base/holes.h"
#include "base/log.h"
#include "base/procmem.h"
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

/* It looks at what is young alone, and makes that older by one. */
static void
collect_minor_raises(void)
{
	VALUE how = rb_hash_new();

	rb_hash_aset(how, ID2SYM(rb_intern("full_mark")), Qfalse);
	rb_hash_aset(how, ID2SYM(rb_intern("immediate_sweep")), Qtrue);
	rb_funcallv_kw(rb_mGC, rb_intern("start"), 1, &how, RB_PASS_KEYWORDS);
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
	/* First: a sweep begun last would be ended by each child. */
	coderanges_raises();
	if (w->compact && rb_respond_to(rb_mGC, compact))
		rb_funcall(rb_mGC, compact, 0); /* it collects first */
	else
		rb_gc_start();
	for (i = 0; i < 3; i++) /* three more make every survivor old */
		collect_minor_raises();
	return Qnil;
}

/* Free slots are holes: what a child allocates there makes a shared page its
 * own. */
struct look {
	int64_t rss_kb;
	uint64_t pages, holes;
	uint64_t wall_us, cpu_us;
};

static VALUE
heap_raises(VALUE p)
{
	struct look *l = (struct look *)p;
	size_t all = rb_gc_stat(ID2SYM(rb_intern("heap_available_slots")));
	size_t live = rb_gc_stat(ID2SYM(rb_intern("heap_live_slots")));

	l->pages = rb_gc_stat(ID2SYM(rb_intern("heap_allocated_pages")));
	l->holes = all > live ? all - live : 0;
	return Qnil;
}

static void
look(struct look *l)
{
	struct timespec t;

	memset(l, 0, sizeof(*l));
	(void)ruby_try(heap_raises, l, NULL);
	l->rss_kb = procmem_rss_kb(getpid());
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	l->cpu_us = (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
	l->wall_us = clock_us();
}

int
warm_heap(bool compact, uint32_t generation)
{
	struct warming w = { .compact = compact };
	struct ruby_error why;
	struct holes filled;
	struct look a, b;
	int rc;

	look(&a);
	holes_free();
	rc = ruby_try(warm_raises, &w, &why);
	if (rc < 0)
		ruby_error_log("heap preparation", &why);
	malloc_trim(0);
	filled = holes_fill();
	look(&b);
	if (rc == 0)
		log_info("mold gen=%u: heap prepared in %" PRIu64
			 " ms (%" PRIu64 " ms of CPU): RSS %" PRId64
			 " -> %" PRId64 " MB, heap pages %" PRIu64
			 " -> %" PRIu64 ", free slots %" PRIu64 " -> %" PRIu64
			 ", %zu KB in %zu holes",
		    generation, (b.wall_us - a.wall_us) / 1000,
		    (b.cpu_us - a.cpu_us) / 1000, a.rss_kb / 1024,
		    b.rss_kb / 1024, a.pages, b.pages, a.holes, b.holes,
		    filled.bytes / 1024, filled.count);
	return rc;
}
