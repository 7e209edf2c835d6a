#include "ruby/vm.h"

#include <errno.h>
#include <locale.h>
#include <string.h>
#include <unistd.h>

#include <ruby/ruby.h>
#include <ruby/thread.h>

#include "base/log.h"
#include "ruby/try.h"

/*
 * Without setlocale every external encoding would be US-ASCII; without
 * ruby_options neither gems nor the locale's encoding exist.
 */
int
vm_start(int argc, char **argv, void *anchor)
{
	void *node;
	int status;

	setlocale(LC_CTYPE, "");
	ruby_sysinit(&argc, &argv);
	ruby_init_stack(anchor);
	if (ruby_setup() != 0)
		return 1;
	node = ruby_options(argc, argv);
	if (!ruby_executable_node(node, &status)) {
		/* A status is no state: it would be taken for a `return`. */
		(void)ruby_cleanup(0);
		return status != 0 ? status : 1;
	}
	status = ruby_exec_node(node);
	if (status != 0)
		return ruby_cleanup(status);
	vm_claim();
	return 0;
}

void
vm_claim(void)
{
	ruby_script("reforkd");
}

int
vm_stop(int status)
{
	int from_handlers = ruby_cleanup(0);

	return from_handlers != 0 ? from_handlers : status;
}

struct forking {
	pid_t pid;
};

static VALUE
fork_raises(VALUE p)
{
	struct forking *f = (struct forking *)p;

	f->pid = NUM2PIDT(rb_funcall(rb_mProcess, rb_intern("_fork"), 0));
	return Qnil;
}

pid_t
vm_fork(struct ruby_error *why)
{
	struct forking f = { .pid = -1 };
	pid_t before = getpid();
	int rc = ruby_try(fork_raises, &f, why);

	if (rc == 0)
		return f.pid;
	if (getpid() != before) {
		ruby_error_log(
		    "a hook of Process._fork raised in the child", why);
		_exit(1);
	}
	return rc;
}

void
vm_without_gvl(void *(*fn)(void *), void *arg)
{
	rb_thread_call_without_gvl2(fn, arg, RUBY_UBF_IO, NULL);
}

static VALUE
check_ints_raises(VALUE unused)
{
	(void)unused;
	rb_thread_check_ints();
	return Qnil;
}

int
vm_check_interrupts(struct ruby_error *why)
{
	return ruby_try(check_ints_raises, NULL, why);
}

static VALUE
schedule_raises(VALUE unused)
{
	(void)unused;
	rb_thread_schedule();
	return Qnil;
}

void
vm_yield(void)
{
	struct ruby_error why;

	if (ruby_try(schedule_raises, NULL, &why) < 0)
		ruby_error_log("interrupted between units of work", &why);
}

bool
vm_is_alone(void)
{
	return rb_thread_alone() != 0;
}

static VALUE
title_raises(VALUE p)
{
	const char *text = (const char *)p;

	rb_funcall(rb_mProcess, rb_intern("setproctitle"), 1,
	    rb_utf8_str_new_cstr(text));
	return Qnil;
}

void
vm_title(const char *text)
{
	char copy[512];
	size_t len = strnlen(text, sizeof(copy) - 1);

	memcpy(copy, text, len);
	copy[len] = '\0';
	ruby_try(title_raises, copy, NULL);
}

struct yjit {
	bool is_there, is_on, can_enable;
	bool enable; /* asked for */
};

static VALUE
yjit_raises(VALUE p)
{
	struct yjit *y = (struct yjit *)p;
	ID enable = rb_intern("enable");
	VALUE vm = rb_const_get(rb_cObject, rb_intern("RubyVM"));
	VALUE jit;

	if (!rb_const_defined(vm, rb_intern("YJIT")))
		return Qnil;
	jit = rb_const_get(vm, rb_intern("YJIT"));
	y->is_there = true;
	y->is_on = RTEST(rb_funcall(jit, rb_intern("enabled?"), 0));
	y->can_enable = rb_respond_to(jit, enable);
	if (y->enable && !y->is_on && y->can_enable)
		y->is_on = RTEST(rb_funcall(jit, enable, 0));
	return Qnil;
}

int
vm_yjit_enable(void)
{
	struct yjit y = { .enable = true };

	ruby_try(yjit_raises, &y, NULL);
	return y.is_on ? 0 : -ENOTSUP;
}

bool
vm_yjit_at_start_only(void)
{
	struct yjit y = { .enable = false };

	ruby_try(yjit_raises, &y, NULL);
	return y.is_there && !y.is_on && !y.can_enable;
}
