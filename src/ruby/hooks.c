#include "ruby/hooks.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include <ruby/encoding.h>

#include <reforkd/proto.h>

#include "base/log.h"
#include "ruby/try.h"
#include "worker/self.h"

static const char *const hook_names[HOOK_COUNT] = {
#define HOOK(name, text) [HOOK_##name] = #text,
#include "ruby/hooks.def"
#undef HOOK
};

static VALUE the_config = Qnil;
static VALUE the_app = Qnil;
static VALUE unit_env = Qnil;   /* on the stack of rack/call.c */
static bool is_set[HOOK_COUNT]; /* so that a request asks no Hash */
static bool has_logger;

static VALUE
logger_of_raises(void)
{
	return rb_funcall(the_config, rb_intern("own_logger"), 0);
}

static VALUE
config_set_raises(VALUE unused)
{
	int i;

	(void)unused;
	rb_gc_register_address(&the_config);
	for (i = 0; i < HOOK_COUNT; i++)
		is_set[i] = RTEST(rb_funcall(the_config, rb_intern("hook?"), 1,
		    ID2SYM(rb_intern(hook_names[i]))));
	has_logger = RTEST(logger_of_raises());
	return Qnil;
}

void
hooks_config_set(VALUE config)
{
	struct ruby_error why;

	the_config = config;
	if (ruby_try(config_set_raises, NULL, &why) < 0)
		ruby_error_log("reading the callbacks", &why);
}

static VALUE
app_load_raises(VALUE unused)
{
	(void)unused;
	rb_gc_register_address(&the_app);
	the_app = rb_funcall(the_config, rb_intern("app_load"), 0);
	return Qnil;
}

int
hooks_app_load(const struct self *self, struct ruby_error *why)
{
	if (self->settings.personality != RFK_NATIVE)
		log_info("Refreshing Gem list");
	return ruby_try(app_load_raises, NULL, why);
}

VALUE
hooks_config(void)
{
	return the_config;
}

VALUE
hooks_app(void)
{
	return the_app;
}

bool
hooks_has(enum hook hook)
{
	return is_set[hook];
}

const char *
hooks_name(enum hook hook)
{
	return hook_names[hook];
}

/* Arguments of Reforkd::Config#run_hook, mold/server.rb. */
struct running {
	enum hook hook;
	const struct self *self;
	VALUE env;
	const struct rfk_hook *about; /* another process, NULL = this one */
};

/* wait(2)'s encoding: the only way to a Process::Status is through $?. */
static VALUE
status_raises(const struct rfk_hook *about)
{
	int status = about->status & 0x7f;

	if (about->code == 0)
		return Qnil;
	if (about->code == CLD_EXITED)
		status = (about->status & 0xff) << 8;
	else if (about->code == CLD_DUMPED)
		status |= 0x80;
	rb_last_status_set(status, about->pid);
	return rb_last_status_get();
}

static uint64_t
requests_of(const struct self *self)
{
	if (self->my_row == NULL)
		return 0;
	return atomic_load_explicit(
	    &self->my_row->requests, memory_order_relaxed);
}

static VALUE
run_raises(VALUE p)
{
	const struct running *r = (const struct running *)p;
	const struct rfk_hook *about = r->about;
	const struct self *self = r->self;
	VALUE limited[7];
	VALUE *args = limited + 1;

	args[0] = ID2SYM(rb_intern(hook_names[r->hook]));
	args[1] = UINT2NUM(about != NULL ? about->slot : self->slot);
	if (about != NULL && about->slot == RFK_HOOK_MOLD)
		args[1] = Qnil;
	args[2] =
	    UINT2NUM(about != NULL ? about->generation : self->generation);
	args[3] = INT2NUM(about != NULL ? about->pid : (int)getpid());
	args[4] = ULL2NUM(about != NULL ? 0 : requests_of(self));
	args[5] = about != NULL ? status_raises(about) : r->env;
	if (about == NULL || about->limit_ms == 0)
		return rb_funcallv(the_config, rb_intern("run_hook"), 6, args);
	limited[0] = DBL2NUM(about->limit_ms / 1e3);
	return rb_funcallv(
	    the_config, rb_intern("run_hook_within"), 7, limited);
}

static int
run(const struct running *running, struct ruby_error *why)
{
	struct running copy = *running;

	if (!is_set[copy.hook])
		return 0;
	return ruby_try(run_raises, &copy, why);
}

int
hooks_run(enum hook hook, const struct self *self, struct ruby_error *why)
{
	struct running running = { .hook = hook, .self = self, .env = Qnil };

	return run(&running, why);
}

int
hooks_request_complete(
    const struct self *self, VALUE env, struct ruby_error *why)
{
	struct running running = {
		.hook = HOOK_AFTER_REQUEST_COMPLETE, .self = self, .env = env
	};

	return run(&running, why);
}

int
hooks_about_worker(enum hook hook, const struct self *self,
    const struct rfk_hook *about, struct ruby_error *why)
{
	struct running running = {
		.hook = hook, .self = self, .env = Qnil, .about = about
	};

	return run(&running, why);
}

void
hooks_unit(VALUE env)
{
	unit_env = env;
}

static VALUE
soft_timeout_raises(VALUE p)
{
	const struct self *self = (const struct self *)p;

	return rb_funcall(the_config, rb_intern("soft_timeout"), 6,
	    rb_thread_main(), unit_env, UINT2NUM(self->slot),
	    UINT2NUM(self->generation), INT2NUM((int)getpid()),
	    ULL2NUM(requests_of(self)));
}

int
hooks_soft_timeout(const struct self *self, struct ruby_error *why)
{
	struct self copy;

	if (!is_set[HOOK_AFTER_WORKER_TIMEOUT] &&
	    self->settings.personality != RFK_PITCHFORK)
		return 0;
	copy = *self;
	return ruby_try(soft_timeout_raises, &copy, why);
}

struct around {
	VALUE (*body_raises)(void *);
	void *arg;
	const struct self *self;
};

static VALUE
around_raises(RB_BLOCK_CALL_FUNC_ARGLIST(unused, data))
{
	const struct around *a = (const struct around *)data;

	(void)unused;
	(void)argc;
	(void)argv;
	(void)blockarg;
	return a->body_raises(a->arg);
}

static VALUE
patched_raises(VALUE p)
{
	*(unsigned int *)p =
	    NUM2UINT(rb_funcall(the_config, rb_intern("patched"), 0));
	return Qnil;
}

unsigned int
hooks_patched(void)
{
	struct ruby_error why;
	unsigned int bits = 0;

	if (ruby_try(patched_raises, &bits, &why) < 0)
		ruby_error_log("worker_loop, process_client", &why);
	return bits;
}

static VALUE
around_loop_raises(VALUE p)
{
	const struct around *a = (const struct around *)p;

	return rb_funcall(the_config, rb_intern("run_worker_loop"), 5,
	    UINT2NUM(a->self->slot), UINT2NUM(a->self->generation),
	    INT2NUM((int)getpid()), ULL2NUM(requests_of(a->self)),
	    rb_proc_new(around_raises, p));
}

int
hooks_around_loop(const struct self *self, VALUE (*body_raises)(void *),
    void *arg, struct ruby_error *why)
{
	struct around a = {
		.body_raises = body_raises, .arg = arg, .self = self
	};

	return ruby_try(around_loop_raises, &a, why);
}

void
hooks_around_client_raises(VALUE (*body_raises)(void *), void *arg)
{
	struct around a = { .body_raises = body_raises, .arg = arg };

	rb_funcall(the_config, rb_intern("run_process_client"), 1,
	    rb_proc_new(around_raises, (VALUE)&a));
}

void
hooks_promoted_raises(void)
{
	rb_raise(rb_path2class("Reforkd::Promoted"), "this worker is a mold");
}

struct listening {
	int *fds;
	size_t cap, n;
};

/* Duplicates, so that an object that is collected closes nothing of ours. */
static VALUE
listeners_raises(VALUE p)
{
	struct listening *l = (struct listening *)p;
	VALUE fds = rb_funcall(the_config, rb_intern("fds_here"), 0);
	long i;

	for (i = 0; i < RARRAY_LEN(fds) && l->n < l->cap; i++) {
		int fd =
		    fcntl(NUM2INT(rb_ary_entry(fds, i)), F_DUPFD_CLOEXEC, 3);

		if (fd >= 0)
			l->fds[l->n++] = fd;
	}
	return Qnil;
}

size_t
hooks_listeners(int *give_fds, size_t cap)
{
	struct listening l = { .fds = give_fds, .cap = cap };
	struct ruby_error why;

	if (ruby_try(listeners_raises, &l, &why) < 0)
		ruby_error_log("server.listen", &why);
	return l.n;
}

static VALUE
listeners_drop_raises(VALUE unused)
{
	(void)unused;
	return rb_funcall(the_config, rb_intern("drop_here"), 0);
}

void
hooks_listeners_drop(void)
{
	(void)ruby_try(listeners_drop_raises, NULL, NULL);
}

struct logging {
	int severity;
	const char *text;
	size_t len;
	uint32_t limit_ms;
	bool done;
};

static VALUE
log_raises(VALUE p)
{
	static const char *const methods[] = { "debug", "info", "warn", "error",
		"fatal" };
	struct logging *l = (struct logging *)p;
	VALUE text = rb_utf8_str_new(l->text, (long)l->len);
	VALUE logger;

	if (l->limit_ms > 0) {
		l->done = RTEST(rb_funcall(the_config, rb_intern("log_within"),
		    3, DBL2NUM(l->limit_ms / 1e3), INT2NUM(l->severity), text));
		return Qnil;
	}
	logger = logger_of_raises();
	if (!RTEST(logger))
		return Qnil;
	rb_funcall(logger, rb_intern(methods[l->severity]), 1, text);
	l->done = true;
	return Qnil;
}

int
hooks_log(int severity, const char *text, size_t len, uint32_t limit_ms,
    struct ruby_error *why)
{
	struct logging l = { .severity = severity,
		.text = text,
		.len = len,
		.limit_ms = limit_ms };

	if (!has_logger || severity < 0 || severity > 4)
		return -ENOENT;
	if (ruby_try(log_raises, &l, why) < 0)
		return -ECANCELED;
	return l.done ? 0 : -ENOENT;
}
