#include "mold/config.h"

#include <errno.h>
#include <string.h>

#include <ruby/encoding.h>
#include <ruby/ruby.h>

#include <reforkd/version.h>

#include "base/log.h"
#include "ruby/hooks.h"
#include "ruby/prelude.h"
#include "ruby/reopen.h"
#include "ruby/threads.h"
#include "ruby/try.h"

static const unsigned char config_rb[] = {
#include "mold/config.rb.inc"
};
static const unsigned char listen_rb[] = {
#include "mold/listen.rb.inc"
};
static const unsigned char malloc_rb[] = {
#include "mold/malloc.rb.inc"
};
static const unsigned char collector_rb[] = {
#include "mold/collector.rb.inc"
};
static const unsigned char gc_rb[] = {
#include "mold/gc.rb.inc"
};
static const unsigned char limits_rb[] = {
#include "mold/limits.rb.inc"
};
static const unsigned char server_rb[] = {
#include "mold/server.rb.inc"
};
static const unsigned char timeouts_rb[] = {
#include "mold/timeouts.rb.inc"
};
static const unsigned char here_rb[] = {
#include "mold/here.rb.inc"
};
static const unsigned char objects_rb[] = {
#include "mold/objects.rb.inc"
};
static const unsigned char compat_rb[] = {
#include "mold/compat.rb.inc"
};
static const unsigned char family_rb[] = {
#include "mold/family.rb.inc"
};
static const unsigned char behalf_rb[] = {
#include "mold/behalf.rb.inc"
};
static const unsigned char handed_rb[] = {
#include "mold/handed.rb.inc"
};
static const unsigned char pools_rb[] = {
#include "mold/pools.rb.inc"
};
static const unsigned char lease_rb[] = {
#include "mold/lease.rb.inc"
};
static const unsigned char key_rb[] = {
#include "mold/key.rb.inc"
};
static const unsigned char ruby_rb[] = {
#include "mold/ruby.rb.inc"
};
static const unsigned char tasks_rb[] = {
#include "mold/tasks.rb.inc"
};
static const unsigned char run_rb[] = {
#include "run/run.rb.inc"
};
static const unsigned char state_rb[] = {
#include "mold/state.rb.inc"
};
static const unsigned char app_rb[] = {
#include "mold/app.rb.inc"
};
static const unsigned char boot_rb[] = {
#include "mold/boot.rb.inc"
};

/* In the order in which they need each other. */
static const struct prelude parts[] = {
	{ "config.rb", config_rb, sizeof(config_rb) },
	{ "listen.rb", listen_rb, sizeof(listen_rb) },
	{ "malloc.rb", malloc_rb, sizeof(malloc_rb) },
	{ "collector.rb", collector_rb, sizeof(collector_rb) },
	{ "gc.rb", gc_rb, sizeof(gc_rb) },
	{ "limits.rb", limits_rb, sizeof(limits_rb) },
	{ "server.rb", server_rb, sizeof(server_rb) },
	{ "timeouts.rb", timeouts_rb, sizeof(timeouts_rb) },
	{ "here.rb", here_rb, sizeof(here_rb) },
	{ "objects.rb", objects_rb, sizeof(objects_rb) },
	{ "compat.rb", compat_rb, sizeof(compat_rb) },
	{ "family.rb", family_rb, sizeof(family_rb) },
	{ "behalf.rb", behalf_rb, sizeof(behalf_rb) },
	{ "handed.rb", handed_rb, sizeof(handed_rb) },
	{ "pools.rb", pools_rb, sizeof(pools_rb) },
	{ "lease.rb", lease_rb, sizeof(lease_rb) },
	{ "key.rb", key_rb, sizeof(key_rb) },
	{ "ruby.rb", ruby_rb, sizeof(ruby_rb) },
	{ "tasks.rb", tasks_rb, sizeof(tasks_rb) },
	{ "run.rb", run_rb, sizeof(run_rb) },
	{ "state.rb", state_rb, sizeof(state_rb) },
	{ "app.rb", app_rb, sizeof(app_rb) },
	{ "boot.rb", boot_rb, sizeof(boot_rb) },
};

static void
row_raises(VALUE table, const char *name, const char *kind, VALUE fallback,
    int64_t min, int64_t max)
{
	VALUE row = rb_ary_new_from_args(
	    4, ID2SYM(rb_intern(kind)), fallback, LL2NUM(min), LL2NUM(max));

	rb_hash_aset(table, ID2SYM(rb_intern(name)), rb_obj_freeze(row));
}

#define DEFAULT_COUNT(x) LL2NUM(x)
#define DEFAULT_MS(x) LL2NUM(x)
#define DEFAULT_SIZE(x) LL2NUM(x)
#define DEFAULT_FLAG(x) LL2NUM(x)
#define DEFAULT_TEXT(x) rb_utf8_str_new_cstr(x)

/* Reforkd::SETTINGS: settings.def as {name => [kind, default, min, max]}. */
static VALUE
settings_raises(VALUE unused)
{
	VALUE module = rb_define_module("Reforkd");
	VALUE table = rb_hash_new();

	(void)unused;
#define SETTING(name, kind, fallback, min, max)                                \
	row_raises(table, #name, #kind, DEFAULT_##kind(fallback), min, max);
#include <reforkd/settings.def>
#undef SETTING
	rb_define_const(module, "SETTINGS", rb_obj_freeze(table));
	rb_define_const(module, "VERSION", rb_str_new_cstr(RFK_VERSION));
	return Qnil;
}

int
config_define(struct ruby_error *why)
{
	size_t i;
	int rc = ruby_try(settings_raises, NULL, why);

	if (rc == 0)
		rc = threads_define(why);
	if (rc == 0)
		rc = reopen_define(why);
	for (i = 0; rc == 0 && i < sizeof(parts) / sizeof(parts[0]); i++)
		rc = prelude_load(&parts[i], why);
	return rc;
}

struct evaluating {
	const char *tail;
	size_t len;
	const struct buf *state;
	VALUE config;
};

static VALUE
evaluate_raises(VALUE p)
{
	struct evaluating *e = (struct evaluating *)p;
	VALUE class = rb_path2class("Reforkd::Config");
	VALUE state = e->state->len == 0
			  ? Qnil
			  : rb_str_new(e->state->data, (long)e->state->len);

	e->config = rb_funcall(class, rb_intern("load"), 2,
	    rb_str_new(e->tail, (long)e->len), state);
	return Qnil;
}

int
config_evaluate(const char *tail, size_t len, const struct buf *state,
    struct ruby_error *why)
{
	struct evaluating e = {
		.tail = tail, .len = len, .state = state, .config = Qnil
	};
	int rc = ruby_try(evaluate_raises, &e, why);

	if (rc == 0)
		hooks_config_set(e.config);
	return rc;
}

struct encoding_block {
	struct buf *out;
	enum rfk_personality personality;
	int rc;
};

static VALUE
settings_block_raises(VALUE p)
{
	struct encoding_block *e = (struct encoding_block *)p;
	VALUE config = hooks_config();
	VALUE block = rb_funcall(config, rb_intern("block"), 0);
	int number =
	    NUM2INT(rb_funcall(config, rb_intern("personality_number"), 0));

	e->personality = (enum rfk_personality)number;
	StringValue(block);
	/* buf_put calls no Ruby: the caller's buffer is safe from a jump. */
	e->rc = buf_put(e->out, RSTRING_PTR(block), (size_t)RSTRING_LEN(block));
	RB_GC_GUARD(block);
	return Qnil;
}

int
config_settings(
    struct buf *out, enum rfk_personality *personality, struct ruby_error *why)
{
	struct encoding_block e = { .out = out };
	int rc = ruby_try(settings_block_raises, &e, why);

	*personality = e.personality;
	return rc < 0 ? rc : e.rc;
}

struct imaging {
	struct buf *out;
	uint32_t limit_ms;
	int rc;
};

static VALUE
image_raises(VALUE p)
{
	struct imaging *i = (struct imaging *)p;
	VALUE text = rb_funcall(hooks_config(), rb_intern("exec_image"), 1,
	    rb_float_new(i->limit_ms / 1e3));

	StringValue(text);
	i->rc = buf_put(i->out, RSTRING_PTR(text), (size_t)RSTRING_LEN(text));
	RB_GC_GUARD(text);
	return Qnil;
}

int
config_exec_image(uint32_t limit_ms, struct buf *out, struct ruby_error *why)
{
	struct imaging i = { .out = out, .limit_ms = limit_ms };
	int rc = ruby_try(image_raises, &i, why);

	return rc < 0 ? rc : i.rc;
}

static VALUE
notes_raises(VALUE unused)
{
	VALUE notes = rb_funcall(hooks_config(), rb_intern("notes"), 0);
	long i;

	(void)unused;
	for (i = 0; i < RARRAY_LEN(notes); i++) {
		VALUE note = rb_ary_entry(notes, i);

		log_info("%s", StringValueCStr(note));
	}
	return Qnil;
}

void
config_notes_log(void)
{
	ruby_try(notes_raises, NULL, NULL);
}

static VALUE
outputs_raises(VALUE unused)
{
	(void)unused;
	return rb_funcall(hooks_config(), rb_intern("outputs_reopen"), 0);
}

int
config_outputs_reopen(struct ruby_error *why)
{
	return ruby_try(outputs_raises, NULL, why);
}

bool
config_is_mistake(const struct ruby_error *why)
{
	return strcmp(why->class_name, "Reforkd::ConfigError") == 0;
}

struct asking {
	unsigned int signos, free;
};

static VALUE
untrapped_raises(VALUE p)
{
	struct asking *a = (struct asking *)p;
	VALUE module = rb_path2class("Reforkd");
	int signo;

	for (signo = 1; signo < 32; signo++)
		if ((a->signos & (1u << signo)) != 0 &&
		    RTEST(rb_funcall(
			module, rb_intern("untrapped?"), 1, INT2NUM(signo))))
			a->free |= 1u << signo;
	return Qnil;
}

unsigned int
config_untrapped(unsigned int signos)
{
	struct asking a = { .signos = signos };
	struct ruby_error why;

	if (ruby_try(untrapped_raises, &a, &why) < 0)
		ruby_error_log("Signal.trap", &why);
	return a.free;
}
