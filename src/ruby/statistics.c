/*
 * statistics.c - counters of the heap, asked of Ruby's own methods, so that a
 * Ruby with other keys has other fields.
 */
#include "ruby/statistics.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <ruby/ruby.h>

#include "base/fd.h"
#include "ruby/life.h"
#include "ruby/try.h"

/* Lines */

struct writing {
	struct buf *out;
	int rc;
};

static void
put(struct writing *w, const char *name, const char *sign, uint64_t value)
{
	if (w->rc == 0)
		w->rc = buf_printf(w->out, " %s=%s%" PRIu64, name, sign, value);
}

/* What is no whole number says nothing to anyone and is left out. */
static int
field_raises(VALUE key, VALUE value, VALUE p)
{
	struct writing *w = (struct writing *)p;
	const char *name;
	long long n;

	if (!RB_INTEGER_TYPE_P(value))
		return ST_CONTINUE;
	name = SYMBOL_P(key) ? rb_id2name(SYM2ID(key)) : rb_obj_classname(key);
	n = NUM2LL(value);
	put(w, name, n < 0 ? "-" : "", (uint64_t)(n < 0 ? -n : n));
	return ST_CONTINUE;
}

static void
hash_raises(struct writing *w, const char *kind, VALUE hash)
{
	if (!RB_TYPE_P(hash, T_HASH) || w->rc != 0)
		return;
	w->rc = buf_puts(w->out, kind);
	rb_hash_foreach(hash, field_raises, (VALUE)w);
	if (w->rc == 0)
		w->rc = buf_puts(w->out, "\n");
}

static int
heap_raises(VALUE index, VALUE hash, VALUE p)
{
	struct writing *w = (struct writing *)p;
	char kind[32];

	(void)snprintf(kind, sizeof(kind), "heap%d", NUM2INT(index));
	hash_raises(w, kind, hash);
	return ST_CONTINUE;
}

/* The extension adds count_objects_size to ObjectSpace; it may be missing. */
static VALUE
sizes_raises(VALUE p)
{
	VALUE space = rb_const_get(rb_cObject, rb_intern("ObjectSpace"));

	rb_require("objspace");
	hash_raises((struct writing *)p, "sizes",
	    rb_funcall(space, rb_intern("count_objects_size"), 0));
	return Qnil;
}

static VALUE
stats_raises(VALUE p)
{
	struct writing *w = (struct writing *)p;
	VALUE space = rb_const_get(rb_cObject, rb_intern("ObjectSpace"));
	ID stat_heap = rb_intern("stat_heap");

	hash_raises(w, "gc", rb_funcall(rb_mGC, rb_intern("stat"), 0));
	if (rb_respond_to(rb_mGC, stat_heap))
		rb_hash_foreach(
		    rb_funcall(rb_mGC, stat_heap, 0), heap_raises, p);
	hash_raises(
	    w, "objects", rb_funcall(space, rb_intern("count_objects"), 0));
	return Qnil;
}

static uint64_t
kb_of(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at == NULL ? 0 : strtoull(at + strlen(name), NULL, 10);
}

static void
memory_put(struct writing *w)
{
	char text[4096];

	if (w->rc != 0 ||
	    fd_read_file("/proc/self/smaps_rollup", text, sizeof(text)) <= 0)
		return;
	w->rc = buf_puts(w->out, "memory");
	put(w, "rss_kb", "", kb_of(text, "\nRss:"));
	put(w, "pss_kb", "", kb_of(text, "\nPss:"));
	put(w, "uss_kb", "",
	    kb_of(text, "\nPrivate_Clean:") + kb_of(text, "\nPrivate_Dirty:") +
		kb_of(text, "\nPrivate_Hugetlb:"));
	if (w->rc == 0)
		w->rc = buf_puts(w->out, "\n");
}

static VALUE
version_raises(VALUE p)
{
	VALUE version = rb_const_get(rb_cObject, rb_intern("RUBY_VERSION"));
	struct writing *w = (struct writing *)p;

	w->rc =
	    buf_printf(w->out, "ruby version=%s\n", StringValueCStr(version));
	return Qnil;
}

int
statistics_put(struct buf *out, uint64_t requests, struct ruby_error *why)
{
	struct writing w = { .out = out };
	int rc;

	rc = ruby_try(version_raises, &w, why);
	if (rc == 0)
		rc = ruby_try(stats_raises, &w, why);
	if (rc < 0)
		return rc;
	(void)ruby_try(sizes_raises, &w, NULL);
	memory_put(&w);
	if (w.rc == 0)
		w.rc = life_put(out, requests);
	return w.rc;
}
