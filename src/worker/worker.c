/*
 * worker.c - one worker from its fork to its end.
 */
#include "worker/worker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "ipc/board.h"
#include "ipc/chan.h"
#include "ruby/gclog.h"
#include "ruby/hooks.h"
#include "ruby/life.h"
#include "ruby/try.h"
#include "ruby/vm.h"
#include "worker/collect.h"
#include "worker/user.h"

struct self *
worker_self(struct worker *w)
{
	return w->self;
}

struct loop *
worker_loop(struct worker *w)
{
	return &w->loop;
}

void *
worker_state(struct worker *w)
{
	return w->state;
}

void
worker_state_set(struct worker *w, void *state)
{
	w->state = state;
}

bool
worker_is_draining(const struct worker *w)
{
	return w->is_draining;
}

bool
worker_is_orphan(const struct worker *w)
{
	return w->is_orphan;
}

uint64_t
worker_unit_begin(struct worker *w, const char *method, size_t method_len,
    const char *path, size_t path_len)
{
	uint64_t now_ms;

	w->unit_began_us = clock_us();
	now_ms = w->unit_began_us / 1000;
	watchman_start(w->self);
	board_unit_begin(w->self->my_row, now_ms,
	    now_ms + (uint64_t)w->self->settings.timeout, method, method_len,
	    path, path_len);
	watchman_wake();
	collect_begin();
	w->in_unit = true;
	return w->unit_began_us;
}

void
worker_unit_title(struct worker *w, const char *what)
{
	self_title(w->self, what,
	    atomic_load_explicit(
		&w->self->my_row->requests, memory_order_relaxed));
	w->title_state = ""; /* what is said next is news */
}

void
worker_unit_end(struct worker *w)
{
	struct rfk_row *row = w->self->my_row;
	uint64_t now_us;

	collect_end();
	now_us = clock_us();
	w->in_unit = false;
	w->loop.now_ms = now_us / 1000;
	board_count_us(row->service_us, now_us - w->unit_began_us);
	atomic_store_explicit(&row->requests,
	    atomic_load_explicit(&row->requests, memory_order_relaxed) + 1,
	    memory_order_relaxed);
	board_unit_end(row, w->is_draining ? RFK_WORK_DRAINING : RFK_WORK_HOOK,
	    w->loop.now_ms);
}

void
worker_leave(struct worker *w, int status)
{
	worker_hurry(w, RFK_EXIT_APPLICATION, status);
}

void
worker_hurry(struct worker *w, enum rfk_exit_why why, int status)
{
	if (w->is_leaving)
		return;
	w->is_leaving = true;
	w->why = why;
	w->status = status;
}

void
worker_drain(struct worker *w, enum rfk_exit_why why, uint64_t limit_ms)
{
	if (w->is_draining || w->is_leaving)
		return;
	fault_at("drain");
	w->is_draining = true;
	w->why = why;
	w->drain_until_ms = loop_now(&w->loop) + limit_ms;
	listen_drain(w);
	board_row_beat(w->self->my_row, RFK_WORK_DRAINING, w->loop.now_ms);
	w->kind->drain(w, w->drain_until_ms);
	idle_title(w, "draining");
}

static int
hook(struct worker *w, enum hook which, const char *name, char *text,
    size_t size)
{
	struct ruby_error why;

	if (hooks_run(which, w->self, &why) == 0)
		return 0;
	ruby_error_log(name, &why);
	snprintf(text, size, "%s: %.500s (%.100s)", name, why.message,
	    why.class_name);
	return -ECANCELED;
}

/* Generation 0's hooks see the user of the master, as in unicorn. */
static int
hooks_begin(struct worker *w, char *text, size_t size)
{
	int rc = 0;

	if (!w->self->is_service)
		rc = hook(w, HOOK_AFTER_FORK, "after_fork", text, size);
	if (rc == 0 && !w->self->is_service)
		rc = hook(
		    w, HOOK_AFTER_WORKER_FORK, "after_worker_fork", text, size);
	if (rc == 0)
		rc = user_switch(w->self, text, size);
	if (rc == 0)
		signals_claim(w->self);
	return rc;
}

/* preload_app false, and not forked from a worker that has it already. */
static int
app_load(struct worker *w, char *text, size_t size)
{
	struct ruby_error why;

	if (w->self->is_service || !NIL_P(hooks_app()))
		return 0;
	self_title(w->self, "loading", 0);
	if (hooks_app_load(w->self, &why) < 0) {
		ruby_error_log("loading the application", &why);
		snprintf(text, size, "loading the application: %.500s (%.100s)",
		    why.message, why.class_name);
		return -ECANCELED;
	}
	signals_claim(w->self);
	return 0;
}

static int
begin(struct worker *w, char *text, size_t size)
{
	struct rfk_msg msg = { .type = RFK_MSG_READY };
	int rc = turn_open(w);

	snprintf(text, size, "loop: %s", strerror(-rc));
	if (rc < 0)
		return rc;
	signals_claim(w->self);
	self_title(w->self, "booting", 0);
	fault_at("worker_boot");
	rc = hooks_begin(w, text, size);
	if (rc == 0)
		rc = app_load(w, text, size);
	if (rc < 0)
		return rc;
	w->self->nlisteners +=
	    hooks_listeners(w->self->listeners + w->self->nlisteners,
		RFK_LISTENERS_MAX - w->self->nlisteners);
	rc = w->kind->open(w);
	snprintf(text, size, "%s: %s", w->kind->name, strerror(-rc));
	if (rc < 0)
		return rc;
	if (w->kind->acceptable != NULL)
		rc = listen_open(w);
	snprintf(text, size, "listen: %s%s", strerror(-rc),
	    rc == -EADDRINUSE
		? " (two addresses of the file are one, or another process "
		  "has taken it since it was bound)"
		: "");
	if (rc < 0)
		return rc;
	rc = w->self->is_service
		 ? hook(w, HOOK_BEFORE_SERVICE_READY,
		       "before_service_worker_ready", text, size)
		 : hook(w, HOOK_AFTER_WORKER_READY, "after_worker_ready", text,
		       size);
	if (rc < 0)
		return rc;
	fault_at("before_worker_ready");
	msg.u.ready.generation = w->self->generation;
	msg.u.ready.pid = getpid();
	msg.u.ready.took_us = clock_us() - w->self->born_us;
	collect_start(w->self);
	(void)loop_now(&w->loop);
	idle_title(w, "idle");
	board_row_beat(w->self->my_row, RFK_WORK_IDLE, w->loop.now_ms);
	return chan_put(w->self->master, &msg, NULL, 0);
}

static enum role
fail(struct worker *w, const char *text)
{
	struct rfk_msg msg = { .type = RFK_MSG_FAILED,
		.tail = text,
		.tail_len = (uint32_t)strlen(text) };

	msg.u.failed.exit_status = 1;
	log_error(
	    "worker=%u gen=%u: %s", w->self->slot, w->self->generation, text);
	(void)chan_put(w->self->master, &msg, NULL, 0);
	w->self->exit_status = 1;
	return ROLE_EXIT;
}

/* A graceful end: the application's own handlers run on QUIT only. */
static enum role
finish(struct worker *w)
{
	struct rfk_msg msg = { .type = RFK_MSG_EXITING };
	struct ruby_error why;

	watchman_stop();
	if (hooks_run(w->self->is_service ? HOOK_BEFORE_SERVICE_EXIT
					  : HOOK_BEFORE_WORKER_EXIT,
		w->self, &why) < 0)
		ruby_error_log(w->self->is_service
				   ? "before_service_worker_exit"
				   : "before_worker_exit",
		    &why);
	w->kind->close(w);
	msg.u.exiting.why = w->why;
	(void)chan_put(w->self->master, &msg, NULL, 0);
	w->self->exit_status = w->status;
	w->self->run_at_exit = true;
	return ROLE_EXIT;
}

/* What gems have put around unicorn's loop is entered first, and left last. */
static VALUE
loop_raises(void *p)
{
	struct worker *w = p;

	w->is_mold = turn_serve(w);
	if (w->is_mold)
		hooks_promoted_raises();
	return Qnil;
}

static bool
serve(struct worker *w)
{
	struct ruby_error why;

	if ((hooks_patched() & HOOKS_LOOP) == 0)
		return turn_serve(w);
	if (hooks_around_loop(w->self, loop_raises, w, &why) == 0 || w->is_mold)
		return w->is_mold;
	if (!why.is_exit)
		ruby_error_log("worker_loop", &why);
	/* It has raised before it came to us, or after we have left. */
	if (!w->is_leaving)
		worker_hurry(
		    w, RFK_EXIT_APPLICATION, why.is_exit ? why.status : 1);
	return false;
}

static const struct kind *const kinds[] = {
	[RFK_KIND_RACK] = &kind_rack,
	[RFK_KIND_RUN] = &kind_run,
	[RFK_KIND_LEASE] = &kind_lease,
	[RFK_KIND_NONE] = &kind_rack, /* has no workers */
};

enum role
worker_run(struct self *self)
{
	struct worker *w = calloc(1, sizeof(*w));
	enum role next = ROLE_EXIT;
	char text[1024];

	if (w == NULL) {
		self->exit_status = 1;
		return ROLE_EXIT;
	}
	w->self = self;
	w->kind = self->is_service ? &kind_run : kinds[self->settings.kind];
	if (self->is_service) /* it serves nobody, and holds nothing open */
		listen_forget(w);
	w->acceptable = w->accepted_last = -1;
	life_born();
	if (begin(w, text, sizeof(text)) < 0)
		next = fail(w, text);
	else if (serve(w))
		next = ROLE_MOLD;
	else
		next = finish(w);
	if (next == ROLE_EXIT) {
		signals_drop();
		loop_fini(&w->loop);
	}
	/* The hooks look at w, and at_exit handlers collect. */
	gclog_forget();
	free(w);
	return next;
}
