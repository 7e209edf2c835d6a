/*
 * Two counts with two ends. `failures` are workers that were of no use, READY
 * or not, and make the next one wait; `spawn_errors` are those that never
 * became READY, and may be limited.
 */
#include "master/failures.h"

#include "base/clock.h"
#include "base/log.h"
#include "ipc/board.h"
#include "master/master.h"
#include "master/refork.h"
#include "master/service.h"

/* A worker that ends sooner, without a request, has failed. */
#define EARLY_MS 5000u

static void
on_backoff(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	pool_touch(w->data);
}

void
failures_init(struct pool *p)
{
	ev_timer_init(&p->backoff, on_backoff, 1., 0.);
	p->backoff.data = p;
}

static void
back_off(struct pool *p)
{
	uint64_t wait = refork_backoff_ms(++p->failures);

	if (wait == 0)
		return;
	p->not_before_ms = clock_ms() + wait;
	log_warn("%s%u workers in a row were of no use: the next one in %.1fs",
	    p->label, p->failures, (double)wait / 1e3);
}

/* The service's count is that of the pool whose mold makes it. */
static struct pool *
counts_for(struct pool *p)
{
	return service_is(p) ? p->family : p;
}

/* In a row of failures they are tried one by one, or each wait would end with
 * as many as there are slots. Its end touches the pool. */
static bool
is_trying(struct pool *p)
{
	return counts_for(p)->spawn_errors > 1 &&
	       pool_count(p, LIFE_FORKING) + pool_count(p, LIFE_BOOTING) > 0;
}

bool
pool_backs_off(struct pool *p)
{
	uint64_t now = clock_ms();
	struct ev_loop *loop = p->master->loop;

	if (now >= p->not_before_ms)
		return is_trying(p);
	if (!ev_is_active(&p->backoff)) {
		ev_timer_set(&p->backoff,
		    (double)(p->not_before_ms - now + 1) / 1e3, 0.);
		ev_now_update(loop);
		ev_timer_start(loop, &p->backoff);
	}
	return true;
}

void
failures_none(struct pool *p)
{
	counts_for(p)->spawn_errors = 0;
}

void
failures_child_gone(struct pool *p, const struct child *c, bool was_made)
{
	const bool was_wanted =
	    c->drain_ms == 0 && c->was != LIFE_UNWANTED && !pool_is_stopping(p);
	struct board_view v;

	if (was_wanted && c->ready_ms == 0)
		counts_for(p)->spawn_errors++;
	if (!was_made) {
		/* Without its canary a refork has failed, and that one waits
		 * by itself; the slot has its old worker. */
		if (was_wanted && !c->is_canary)
			back_off(p);
		return;
	}
	child_row(c, &v);
	if (c->lease != NULL || (v.pid == c->process.pid && v.requests > 0) ||
	    clock_ms() - c->forked_ms > EARLY_MS)
		p->failures = 0;
	else if (c->drain_ms == 0 && !pool_is_stopping(p))
		back_off(p);
}

void
failures_mold_gone(struct pool *p, const struct moldlink *l)
{
	/* A boot has its own words, and is begun by hand. */
	if (!l->by_boot && p->succession.stage == SUCCESSION_PREPARING &&
	    !pool_is_stopping(p))
		p->spawn_errors++;
}

void
failures_limit(struct master *m)
{
	const struct pool *p = &m->pool;
	const struct rfk_settings_table *s = &p->settings;

	if (m->phase != MASTER_SERVING ||
	    s->max_consecutive_spawn_errors == 0 ||
	    p->spawn_errors <= s->max_consecutive_spawn_errors)
		return;
	log_fatal("%u consecutive failures to spawn children, aborting - "
		  "broken after_worker_fork callback? (%s: "
		  "max_consecutive_spawn_errors %lld)",
	    p->spawn_errors,
	    settings_place(s, RFK_SET_max_consecutive_spawn_errors),
	    (long long)s->max_consecutive_spawn_errors);
	m->exit_status = 1;
	master_stop(m, true, "max_consecutive_spawn_errors");
}
