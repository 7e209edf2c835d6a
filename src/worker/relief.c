/*
 * relief.c - what a worker does for the memory of the pool, between two units:
 * it collects when the master asks, and says when it has served its share.
 */
#include "worker/worker.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/procmem.h"
#include "ipc/board.h"
#include "ipc/chan.h"
#include "ruby/try.h"

static VALUE
collect_raises(VALUE unused)
{
	(void)unused;
	rb_gc_start();
	return Qnil;
}

void
relief_collect(struct worker *w)
{
	uint64_t began_us = clock_us();
	int64_t before_kb = procmem_rss_kb(getpid()), after_kb;
	struct ruby_error why;

	w->wants_gc = false;
	board_row_beat(w->self->my_row, RFK_WORK_HOOK, began_us / 1000);
	if (ruby_try(collect_raises, NULL, &why) < 0)
		ruby_error_log("GC.start", &why);
	trim_now(w);
	after_kb = procmem_rss_kb(getpid());
	log_info("worker=%u collected and trimmed in %llu ms: RSS %lld -> "
		 "%lld MB",
	    w->self->slot, (unsigned long long)((clock_us() - began_us) / 1000),
	    (long long)(before_kb / 1024), (long long)(after_kb / 1024));
	(void)loop_now(&w->loop);
}

/* Said once: the master remembers, whatever is under way there. */
void
relief_spent(struct worker *w)
{
	const struct rfk_settings_table *s = &w->self->settings;
	struct rfk_msg msg = { .type = RFK_MSG_SPENT };
	uint64_t requests;

	if (s->worker_max_requests <= 0 || w->is_spent || w->is_draining)
		return;
	requests = atomic_load_explicit(
	    &w->self->my_row->requests, memory_order_relaxed);
	if (requests < (uint64_t)settings_with_jitter(s->worker_max_requests,
			   s->worker_max_requests_jitter, w->self->token))
		return;
	w->is_spent = true;
	msg.u.volunteer.requests = requests;
	(void)chan_put(w->self->master, &msg, NULL, 0);
}
