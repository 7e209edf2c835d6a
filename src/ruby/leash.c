/* leash.c - two wishes for one switch: the application's and ours. */
#include "ruby/leash.h"

#include <pthread.h>

#include <ruby/ruby.h>

#include "ruby/gcstat.h"
#include "ruby/try.h"

/* Bytes of an object, where nobody has the time to ask each pool. */
#define SLOT_BYTES 64

static struct {
	bool is_open;
	bool app_disabled; /* what the application asked for */
	bool app_stress;
	bool is_on; /* the switch is off because of us */
	uint64_t limit;
	struct gcstat_look began;
	uint64_t pulls;
} own;

static void
let_go(void)
{
	if (!own.is_on)
		return;
	own.is_on = false;
	rb_gc_enable();
}

static VALUE
app_disable(VALUE unused)
{
	bool was = own.app_disabled;

	(void)unused;
	own.app_disabled = true;
	own.is_on = false;
	rb_gc_disable();
	return was ? Qtrue : Qfalse;
}

/* Who enables it in a request means it: the leash is off for this one. */
static VALUE
app_enable(VALUE unused)
{
	bool was = own.app_disabled;

	(void)unused;
	own.app_disabled = false;
	own.is_on = false;
	rb_gc_enable();
	return was ? Qtrue : Qfalse;
}

static VALUE
app_stress_raises(VALUE self, VALUE value)
{
	(void)self;
	own.app_stress = RTEST(value);
	if (own.app_stress)
		let_go();
	return rb_call_super(1, &value);
}

static VALUE
open_raises(VALUE unused)
{
	VALUE module = rb_module_new();

	(void)unused;
	rb_define_const(rb_path2class("Reforkd"), "Collector", module);
	rb_define_method(module, "disable", app_disable, 0);
	rb_define_method(module, "enable", app_enable, 0);
	rb_define_method(module, "stress=", app_stress_raises, 1);
	own.app_stress = RTEST(rb_funcall(rb_mGC, rb_intern("stress"), 0));
	own.app_disabled = rb_gc_disable() == Qtrue;
	if (!own.app_disabled)
		rb_gc_enable();
	rb_prepend_module(rb_singleton_class(rb_mGC), module);
	return Qnil;
}

/* What the application forks inside a request has no end of a request. */
static void
on_fork_child(void)
{
	let_go();
}

int
leash_open(struct ruby_error *why)
{
	int rc;

	if (own.is_open)
		return 0;
	rc = ruby_try(open_raises, NULL, why);
	if (rc == 0)
		(void)pthread_atfork(NULL, NULL, on_fork_child);
	own.is_open = rc == 0;
	return rc;
}

void
leash_on(uint64_t bytes)
{
	if (own.app_disabled || own.app_stress)
		return;
	gcstat_look(&own.began);
	own.limit = bytes;
	own.is_on = true;
	rb_gc_disable();
}

void
leash_off(void)
{
	let_go();
}

void
leash_pull(void)
{
	struct gcstat_look now;
	uint64_t bytes;

	if (!own.is_on)
		return;
	gcstat_look(&now);
	bytes = (now.allocated - own.began.allocated) * SLOT_BYTES;
	if (now.malloc_bytes > own.began.malloc_bytes)
		bytes += now.malloc_bytes - own.began.malloc_bytes;
	if (bytes <= own.limit)
		return;
	own.pulls++;
	let_go();
}

bool
leash_is_disabled(void)
{
	return own.app_disabled;
}

bool
leash_is_stressed(void)
{
	return own.app_stress;
}

uint64_t
leash_pulls(void)
{
	return own.pulls;
}
