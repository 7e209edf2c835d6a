/*
 * safepoint.c - postponed jobs, and a signal of Ruby's for what blocks.
 *
 * A job runs at Ruby's next safe point, which a blocking call has none of: a
 * trapped signal ends that (SIGVTALRM is Ruby's own way to).
 */
#include "worker/safepoint.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include <ruby/debug.h>
#include <ruby/ruby.h>
#include <ruby/version.h>

#include "base/clock.h"
#include "base/log.h"
#include "ipc/board.h"
#include "ruby/hooks.h"
#include "ruby/leash.h"
#include "ruby/try.h"
#include "worker/self.h"

#define HAS_JOB_HANDLES                                                        \
	(RUBY_API_VERSION_MAJOR > 3 ||                                         \
	    (RUBY_API_VERSION_MAJOR == 3 && RUBY_API_VERSION_MINOR >= 3))

/* Of the real-time signals, whose names nobody uses. */
#define WAKE_SIGNAL (SIGRTMIN + 7)

/* One in a process: the jobs find it here. */
static struct {
	const struct self *self;
	pthread_t main;
	/* Deadlines: whose job was triggered, has run. */
	_Atomic uint64_t told_ms, job_ms;
	bool has_trap;
#if HAS_JOB_HANDLES
	rb_postponed_job_handle_t job, leash_job;
	bool has_job;
#endif
} own;

void
safepoint_log(const char *what)
{
	struct board_view view;
	uint64_t now_ms = clock_ms();

	board_view(own.self->my_row, &view);
	log_error("worker=%u PID:%d %s: %s %s has taken %" PRIu64
		  " ms of %" PRIu64,
	    own.self->slot, (int)getpid(), what, view.method, view.path,
	    view.unit_ms != 0 && now_ms > view.unit_ms ? now_ms - view.unit_ms
						       : 0,
	    view.deadline_ms > view.unit_ms
		? view.deadline_ms - view.unit_ms
		: (uint64_t)own.self->settings.timeout);
}

static VALUE
backtrace_raises(VALUE p)
{
	char *out = (char *)p;
	VALUE lines =
	    rb_funcall(rb_thread_main(), rb_intern("backtrace"), 1, INT2FIX(1));
	VALUE text;

	out[0] = '\0';
	if (!RB_TYPE_P(lines, T_ARRAY))
		return Qnil;
	text = rb_ary_join(lines, rb_str_new_cstr("\n"));
	snprintf(out, 8192, "%.*s", (int)RSTRING_LEN(text), RSTRING_PTR(text));
	RB_GC_GUARD(text);
	return Qnil;
}

/*
 * At a safe point, with the GVL; a unit that has ended meanwhile, or has more
 * time now, needs no line.
 */
static void
on_job(void *unused)
{
	static char text[8192];
	uint64_t due_ms = atomic_load_explicit(
	    &own.self->my_row->deadline_ms, memory_order_acquire);
	struct ruby_error why;

	(void)unused;
	if (due_ms == 0 || due_ms != atomic_load(&own.told_ms) ||
	    atomic_exchange(&own.job_ms, due_ms) == due_ms)
		return;
	safepoint_log("soft timeout");
	if (ruby_try(backtrace_raises, text, NULL) == 0)
		log_lines(LOG_LV_ERROR, text);
	if (hooks_soft_timeout(own.self, &why) < 0)
		ruby_error_log("after_worker_timeout", &why);
}

static VALUE
on_trap_raises(RB_BLOCK_CALL_FUNC_ARGLIST(signo, unused))
{
	(void)signo;
	(void)unused;
	(void)argc;
	(void)argv;
	(void)blockarg;
	on_job(NULL);
	return Qnil;
}

static VALUE
trap_raises(VALUE unused)
{
	(void)unused;
	rb_funcall(rb_const_get(rb_cObject, rb_intern("Signal")),
	    rb_intern("trap"), 2, INT2FIX(WAKE_SIGNAL),
	    rb_proc_new(on_trap_raises, Qnil));
	return Qnil;
}

static void
job_trigger(void)
{
#if HAS_JOB_HANDLES
	rb_postponed_job_trigger(own.job);
#else
	rb_postponed_job_register_one(0, on_job, NULL);
#endif
}

static void
on_leash(void *unused)
{
	(void)unused;
	leash_pull();
}

void
safepoint_leash(void)
{
#if HAS_JOB_HANDLES
	rb_postponed_job_trigger(own.leash_job);
#else
	rb_postponed_job_register_one(0, on_leash, NULL);
#endif
}

void
safepoint_open(const struct self *self)
{
	own.self = self;
	own.main = pthread_self();
	atomic_store(&own.told_ms, 0);
	atomic_store(&own.job_ms, 0);
#if HAS_JOB_HANDLES
	if (!own.has_job) {
		own.job = rb_postponed_job_preregister(0, on_job, NULL);
		own.leash_job = rb_postponed_job_preregister(0, on_leash, NULL);
	}
	own.has_job = true;
#endif
	if (!own.has_trap)
		own.has_trap = ruby_try(trap_raises, NULL, NULL) == 0;
}

void
safepoint_soft(uint64_t due_ms)
{
	atomic_store(&own.told_ms, due_ms);
	job_trigger();
	if (own.has_trap)
		(void)pthread_kill(own.main, WAKE_SIGNAL);
}

bool
safepoint_reached(uint64_t due_ms)
{
	return atomic_load(&own.job_ms) == due_ms;
}
