/*
 * statistics.c - counters of the heap, asked of Ruby's own methods, so that a
 * Ruby with other keys has other fields.
 */
#include "ruby/statistics.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <ruby/ruby.h>

#include "base/environ.h"
#include "base/procmem.h"
#include "base/record.h"
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

static void
memory_put(struct writing *w)
{
	struct procmem memory;
	struct rusage usage;

	if (w->rc != 0 || procmem_read(getpid(), &memory) < 0)
		return;
	w->rc = buf_puts(w->out, "memory");
	put(w, "rss_kb", "", memory.rss_kb);
	put(w, "pss_kb", "", memory.pss_kb);
	put(w, "uss_kb", "", memory.uss_kb);
	if (getrusage(RUSAGE_SELF, &usage) == 0)
		put(w, "rss_peak_kb", "", (uint64_t)usage.ru_maxrss);
	if (w->rc == 0)
		w->rc = buf_puts(w->out, "\n");
}

static VALUE
ruby_raises(VALUE p)
{
	VALUE version = rb_const_get(rb_cObject, rb_intern("RUBY_VERSION"));
	VALUE threads = rb_funcall(rb_cThread, rb_intern("list"), 0);
	struct writing *w = (struct writing *)p;

	w->rc = buf_printf(w->out, "ruby version=%s threads=%ld\n",
	    StringValueCStr(version), RARRAY_LEN(threads));
	return Qnil;
}

/* What this Ruby was started with, whoever has put it. */
static void
settings_put(struct writing *w)
{
	size_t i;
	char **p;

	if (w->rc == 0)
		w->rc = buf_puts(w->out, "settings");
	for (p = environ; w->rc == 0 && *p != NULL; p++) {
		const char *eq = strchr(*p, '=');
		char name[96];

		if (strncmp(*p, "RUBY_GC_", 8) != 0 || eq == NULL ||
		    (size_t)(eq - *p) >= sizeof(name))
			continue;
		(void)snprintf(name, sizeof(name), "%.*s", (int)(eq - *p), *p);
		if (environ_was_put(name) == NULL)
			w->rc = record_text(w->out, name, eq + 1);
	}
	for (i = 0; w->rc == 0; i++) {
		const char *value;
		const char *name = environ_put_at(i, &value);

		if (name == NULL)
			break;
		w->rc = record_text(w->out, name, value);
	}
	if (w->rc == 0)
		w->rc = buf_puts(w->out, "\n");
}

int
statistics_put(struct buf *out, uint64_t requests, struct ruby_error *why)
{
	struct writing w = { .out = out };
	int rc;

	rc = ruby_try(ruby_raises, &w, why);
	if (rc == 0)
		rc = ruby_try(stats_raises, &w, why);
	if (rc < 0)
		return rc;
	(void)ruby_try(sizes_raises, &w, NULL);
	settings_put(&w);
	memory_put(&w);
	if (w.rc == 0)
		w.rc = life_put(out, requests);
	return w.rc;
}
