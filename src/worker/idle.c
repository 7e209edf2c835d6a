/* idle.c - what a worker does when no unit of work is running. */
#include "worker/worker.h"

#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "ipc/board.h"
#include "ipc/chan.h"
#include "ruby/life.h"
#include "ruby/reopen.h"
#include "ruby/try.h"
#include "ruby/vm.h"
#include "worker/collect.h"

/* Work without a pause after which other Ruby threads get their turn. */
#define YIELD_AFTER_US 10000

static uint64_t
requests_of(const struct worker *w)
{
	return atomic_load_explicit(
	    &w->self->my_row->requests, memory_order_relaxed);
}

void
idle_title(struct worker *w, const char *state)
{
	w->title_requests = requests_of(w);
	w->title_ms = w->loop.now_ms;
	w->title_state = state;
	self_title(w->self, state, w->title_requests);
}

/*
 * At most once a second, and only when it would say something new; in
 * pitchfork's files each request has said what it is.
 */
static void
title_refresh(struct worker *w, const char *state, uint64_t now_ms)
{
	if ((now_ms - w->title_ms >= 1000 || w->title_state[0] == '\0') &&
	    (requests_of(w) != w->title_requests || state != w->title_state))
		idle_title(w, state);
}

static VALUE
gc_count_raises(VALUE p)
{
	*(uint64_t *)p = (uint64_t)rb_gc_count();
	return Qnil;
}

static void
stats_refresh(struct worker *w, uint64_t now_ms)
{
	struct rusage usage;
	uint64_t gc_count = 0;

	if (now_ms - w->stats_ms < 1000)
		return;
	w->stats_ms = now_ms;
	if (getrusage(RUSAGE_SELF, &usage) == 0)
		atomic_store_explicit(&w->self->my_row->faults_now,
		    (uint64_t)usage.ru_minflt, memory_order_relaxed);
	if (ruby_try(gc_count_raises, &gc_count, NULL) == 0)
		atomic_store_explicit(
		    &w->self->my_row->gc_count, gc_count, memory_order_relaxed);
}

void
idle_reopen(struct worker *w)
{
	int n;

	w->wants_reopen = false;
	log_info("worker=%u reopening logs...", w->self->slot);
	n = reopen_logs();
	if (n < 0) {
		log_error("worker=%u could not reopen its logs", w->self->slot);
		/* As in unicorn: a fresh worker opens fresh files. */
		if (w->self->settings.personality == RFK_UNICORN)
			worker_hurry(w, RFK_EXIT_SIGNAL, 77);
		return;
	}
	log_info("worker=%u done reopening logs", w->self->slot);
}

void
idle_volunteer(struct worker *w, bool by_hand)
{
	struct rfk_msg msg = { .type = RFK_MSG_VOLUNTEER };

	msg.u.volunteer.by_hand = by_hand;
	msg.u.volunteer.requests = requests_of(w);
	(void)chan_put(w->self->master, &msg, NULL, 0);
}

/*
 * Said when the requests reach refork_after, and again after each further tenth
 * of it: the first wish may have met a refork under way, or one that failed.
 */
static void
refork_after(struct worker *w)
{
	int64_t limit =
	    settings_refork_limit(&w->self->settings, w->self->generation);
	uint64_t requests = requests_of(w);

	if (limit <= 0 || w->is_draining || requests < (uint64_t)limit ||
	    requests < w->volunteer_at)
		return;
	w->volunteer_at = requests + ((uint64_t)limit + 9) / 10;
	idle_volunteer(w, false);
}

void
idle_between(struct worker *w, uint64_t now_us)
{
	uint64_t now_ms = now_us / 1000;

	life_unit();
	if (w->self->settings.personality != RFK_PITCHFORK)
		title_refresh(w, w->is_draining ? "draining" : "busy", now_ms);
	stats_refresh(w, now_ms);
	refork_after(w);
	collect_between();
	relief_spent(w);
	if (w->busy_since_us == 0) {
		w->busy_since_us = now_us;
	} else if (now_us - w->busy_since_us >= YIELD_AFTER_US) {
		w->busy_since_us = 0;
		/* Returns at once when there is no other Ruby thread. */
		vm_yield();
	}
}

void
idle_waiting(struct worker *w, uint64_t now_ms)
{
	w->busy_since_us = 0;
	board_row_beat(w->self->my_row,
	    w->is_draining ? RFK_WORK_DRAINING : RFK_WORK_IDLE,
	    w->kind->sign_ms != NULL ? w->kind->sign_ms(w, now_ms) : now_ms);
	title_refresh(w, w->is_draining ? "draining" : "idle", now_ms);
	stats_refresh(w, now_ms);
	trim_waiting(w, now_ms);
}
