/*
 * run.c - the kind of work that runs by itself: a block in a thread of its own,
 * and blocks that come again after a while.
 *
 * The main thread keeps the worker's loop: the channel, signals, ticks. The
 * block has a Ruby thread, so that whatever it waits in nobody else waits; it
 * meets the loop where it calls worker.running? or worker.wait, and only there
 * is this process forked from.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <ruby/ruby.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/loop.h"
#include "ipc/board.h"
#include "ruby/hooks.h"
#include "ruby/try.h"
#include "run/lastcall.h"
#include "worker/kind.h"
#include "worker/self.h"

#define TICKS_MAX 16
/* What DSL writes for "no limit". */
#define NO_LIMIT_MS 2592000000

struct tick {
	struct loop_timer timer;
	struct loop_lane lane;
	struct run *run;
	bool is_due;
};

struct run {
	struct worker *worker;
	struct self *self;
	VALUE runner; /* Reforkd::Run; the constant Runner.now holds it */
	struct loop_watch wake;
	struct tick tick[TICKS_MAX];
	size_t ticks;
	struct lastcall last_call;
	bool is_started, is_stopping, is_over;
	uint64_t asked_ms; /* since when it is waited for a safe point */
	uint64_t done;     /* units that the block has counted */
};

struct calling {
	struct run *run;
	const char *method;
	VALUE argument, answer;
};

static VALUE
call_raises(VALUE p)
{
	struct calling *c = (struct calling *)p;

	c->answer = rb_funcall(c->run->runner, rb_intern(c->method),
	    c->argument == Qundef ? 0 : 1, c->argument);
	return Qnil;
}

/* A method of Reforkd::Run's: its answer; nil where it raised, which is said.
 */
static VALUE
call(struct run *r, const char *method, VALUE argument)
{
	struct calling c = {
		.run = r, .method = method, .argument = argument, .answer = Qnil
	};
	struct ruby_error why;

	if (ruby_try(call_raises, &c, &why) == 0)
		return c.answer;
	if (why.is_exit)
		worker_leave(r->worker, why.status);
	else
		ruby_error_log(method, &why);
	return Qnil;
}

static void
on_tick(struct loop_timer *t)
{
	((struct tick *)((char *)t - offsetof(struct tick, timer)))->is_due =
	    true;
}

/* The block has come to a safe point, counted a unit, or ended. */
static void
on_wake(struct loop_watch *watch, uint32_t events)
{
	uint64_t n;

	(void)events;
	(void)!read(watch->fd, &n, sizeof(n));
}

struct opening {
	struct run *run;
	double every[TICKS_MAX];
	size_t n;
};

static VALUE
open_raises(VALUE p)
{
	struct opening *o = (struct opening *)p;
	const struct self *self = o->run->self;
	VALUE class = rb_path2class("Reforkd::Run");
	VALUE fds = rb_ary_new();
	VALUE every;
	size_t n;
	long i;

	for (n = 0; n < self->nlisteners; n++)
		rb_ary_push(fds, INT2NUM(self->listeners[n]));

	o->run->runner = rb_funcall(class, rb_intern("take"), 5, hooks_config(),
	    UINT2NUM(self->slot), UINT2NUM(self->generation),
	    INT2NUM(o->run->wake.fd), fds);
	every = rb_funcall(o->run->runner, rb_intern("every"), 0);
	for (i = 0; i < RARRAY_LEN(every) && o->n < TICKS_MAX; i++)
		o->every[o->n++] = NUM2DBL(rb_ary_entry(every, i));
	return Qnil;
}

static int
run_open(struct worker *w)
{
	struct run *r = calloc(1, sizeof(*r));
	struct opening o = { .run = r };
	struct ruby_error why;
	size_t i;

	if (r == NULL)
		return -ENOMEM;
	r->worker = w;
	r->self = worker_self(w);
	r->wake.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r->wake.on = on_wake;
	r->runner = Qnil;
	worker_state_set(w, r);
	if (r->wake.fd < 0)
		return -errno;
	if (ruby_try(open_raises, &o, &why) < 0) {
		ruby_error_log("run", &why);
		return -ECANCELED;
	}
	r->ticks = o.n;
	for (i = 0; i < o.n; i++) {
		struct tick *t = &r->tick[i];

		t->run = r;
		t->is_due = true;
		loop_lane(worker_loop(w), &t->lane,
		    (uint64_t)(o.every[i] * 1e3), on_tick);
	}
	return loop_watch(worker_loop(w), &r->wake, EPOLLIN);
}

/* One that raises is an error, and comes again when its time comes. */
static void
tick_run(struct run *r, size_t i)
{
	struct tick *t = &r->tick[i];
	struct calling c = { .run = r,
		.method = "tick",
		.argument = SIZET2NUM(i),
		.answer = Qnil };
	struct rfk_row *row = r->self->my_row;
	struct ruby_error why;

	t->is_due = false;
	worker_unit_begin(
	    r->worker, "tick", 4, r->self->pool, strlen(r->self->pool));
	if (ruby_try(call_raises, &c, &why) < 0) {
		atomic_store_explicit(&row->errors,
		    atomic_load_explicit(&row->errors, memory_order_relaxed) +
			1,
		    memory_order_relaxed);
		if (why.is_exit)
			worker_leave(r->worker, why.status);
		else
			ruby_error_log("tick", &why);
	}
	worker_unit_end(r->worker);
	if (RTEST(c.answer))
		t->is_due = true;
	else
		loop_start(worker_loop(r->worker), &t->lane, &t->timer);
}

/* What the block has done since the last look. */
static bool
count(struct run *r)
{
	struct rfk_row *row = r->self->my_row;
	VALUE done = call(r, "done_in_all", Qundef);
	uint64_t n = NIL_P(done) ? r->done : NUM2ULL(done);
	uint64_t more = n - r->done;

	r->done = n;
	if (more > 0)
		atomic_store_explicit(&row->requests,
		    atomic_load_explicit(&row->requests, memory_order_relaxed) +
			more,
		    memory_order_relaxed);
	return more > 0;
}

/* The block's end is the worker's; ticks alone go on. */
static void
look_at_end(struct run *r)
{
	VALUE status = call(r, "ended", Qundef);

	if (NIL_P(status))
		return;
	r->is_over = true;
	(void)count(r);
	if (!r->is_stopping)
		worker_leave(r->worker, NUM2INT(status));
}

static bool
run_step(struct worker *w)
{
	struct run *r = worker_state(w);
	size_t i;

	if (!r->is_started) {
		r->is_started = true;
		(void)call(r, "start", Qundef);
		return true;
	}
	for (i = 0; i < r->ticks && !r->is_stopping; i++)
		if (r->tick[i].is_due) {
			tick_run(r, i);
			return true;
		}
	if (!r->is_over)
		look_at_end(r);
	return !r->is_over && count(r);
}

static void
stop(struct run *r)
{
	if (!r->is_stopping)
		(void)call(r, "stop", Qundef);
	/* Again each time it is told: its trap may not have been there yet. */
	if (r->self->settings.signals_own && worker_traps(SIGTERM))
		(void)call(r, "terminate", Qundef);
	r->is_stopping = true;
}

/* A block serves first who is queued; told twice, it is asked for no more. */
static void
run_drain(struct worker *w, uint64_t until_ms)
{
	struct run *r = worker_state(w);

	if (r->is_over || r->last_call.is_on ||
	    !RTEST(call(r, "serves", Qundef)) ||
	    !lastcall_begin(&r->last_call, w, until_ms))
		stop(r);
}

static bool
run_drained(struct worker *w)
{
	struct run *r = worker_state(w);

	if (r->last_call.is_on && !r->is_stopping &&
	    lastcall_over(&r->last_call))
		stop(r);
	if (!r->is_over)
		look_at_end(r);
	return r->is_over || !r->is_started;
}

static size_t
run_descriptors(struct worker *w, int *out, size_t cap)
{
	(void)w;
	(void)out;
	(void)cap;
	return 0;
}

/* A block that never comes to a safe point is no donor; one that has ended is
 * about to leave, and the master will see that. */
static int
run_may_promote(struct worker *w, char *text, size_t size)
{
	struct run *r = worker_state(w);
	uint64_t now_ms = clock_ms();
	uint64_t limit_ms = (uint64_t)r->self->settings.spawn_timeout / 2;

	if (!r->is_over)
		look_at_end(r);
	if (r->is_over)
		return 0;
	if (RTEST(call(r, "hold", Qundef))) {
		r->asked_ms = 0;
		return 1;
	}
	if (r->asked_ms == 0)
		r->asked_ms = now_ms;
	if (now_ms - r->asked_ms < limit_ms)
		return 0;
	r->asked_ms = 0;
	(void)call(r, "release", Qundef);
	snprintf(text, size,
	    "its run block has not called worker.running? or worker.wait for "
	    "%.1f s",
	    (double)limit_ms / 1e3);
	return -EBUSY;
}

static void
run_promoted(struct worker *w)
{
	(void)call(worker_state(w), "release", Qundef);
}

/* Asked for a limit, it shows by its safe points that it lives. */
static uint64_t
run_sign_ms(struct worker *w, uint64_t now_ms)
{
	struct run *r = worker_state(w);
	VALUE quiet;

	if (r->self->settings.timeout >= NO_LIMIT_MS || r->is_over)
		return now_ms;
	quiet = call(r, "quiet_ms", Qundef);
	return NIL_P(quiet) ? now_ms : now_ms - NUM2ULL(quiet);
}

static void
state_free(struct worker *w)
{
	struct run *r = worker_state(w);

	if (r == NULL)
		return;
	fd_close(&r->wake.fd);
	worker_state_set(w, NULL);
	free(r);
}

const struct kind kind_run = {
	.name = "run",
	.open = run_open,
	.step = run_step,
	.drain = run_drain,
	.drained = run_drained,
	.descriptors = run_descriptors,
	.may_promote = run_may_promote,
	.promoted = run_promoted,
	.sign_ms = run_sign_ms,
	.forked = state_free,
	.close = state_free,
};
