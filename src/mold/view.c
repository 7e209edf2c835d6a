#include "mold/view.h"

#include <stdatomic.h>
#include <unistd.h>

#include "ipc/board.h"
#include "ruby/try.h"
#include "worker/self.h"

static const struct self *own; /* main's; methods get no context of ours */

static VALUE
truth(bool claim)
{
	return claim ? Qtrue : Qfalse;
}

static VALUE
workers_wanted_raises(VALUE unused)
{
	uint32_t n = atomic_load_explicit(
	    &own->board->pool[0].workers, memory_order_relaxed);

	(void)unused;
	return n > 0 ? UINT2NUM(n) : Qnil;
}

static VALUE
shutting_down_raises(VALUE unused)
{
	(void)unused;
	return truth(atomic_load_explicit(&own->board->shutting_down,
			 memory_order_relaxed) != 0);
}

/* Those that have shown themselves since they are READY. */
static VALUE
live_workers_raises(VALUE unused)
{
	uint32_t n = 0;
	size_t i;

	(void)unused;
	for (i = 0; i < RFK_ROWS_MAX; i++) {
		struct board_view view;

		if (atomic_load_explicit(
			&own->board->row[i].pid, memory_order_relaxed) == 0)
			continue;
		board_view(&own->board->row[i], &view);
		n +=
		    view.work != RFK_WORK_NONE && view.work != RFK_WORK_BOOTING;
	}
	return UINT2NUM(n);
}

static VALUE
master_pid_raises(VALUE unused)
{
	(void)unused;
	return INT2NUM((int)own->master_pid);
}

/* In the worker itself, and not in what the application forked from it. */
static VALUE
worker_here_raises(VALUE unused)
{
	(void)unused;
	return truth(own->role == ROLE_WORKER && own->my_row != NULL &&
		     atomic_load_explicit(
			 &own->my_row->pid, memory_order_relaxed) == getpid());
}

static VALUE
define_raises(VALUE unused)
{
	VALUE module = rb_define_module("Reforkd");

	(void)unused;
	rb_define_singleton_method(
	    module, "workers_wanted", workers_wanted_raises, 0);
	rb_define_singleton_method(
	    module, "shutting_down?", shutting_down_raises, 0);
	rb_define_singleton_method(
	    module, "live_workers", live_workers_raises, 0);
	rb_define_singleton_method(module, "master_pid", master_pid_raises, 0);
	rb_define_singleton_method(
	    module, "worker_here?", worker_here_raises, 0);
	return Qnil;
}

int
view_define(const struct self *self, struct ruby_error *why)
{
	own = self;
	return ruby_try(define_raises, NULL, why);
}
