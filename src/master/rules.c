/*
 * What follows from the figures: a worker over its limit is replaced, a pool
 * near its budget climbs the ladder, a refork that pays is begun. The policy is
 * in ladder.h and thrift.h; here it is fed and obeyed.
 */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/procmem.h"
#include "ipc/board.h"
#include "master/master.h"
#include "master/memory.h"
#include "master/recycle.h"

#define MB 1024u
#define BUDGET_EVERY_MS 30000u
#define WATCH_EVERY_MS 5000u
#define PRESSURE_PERCENT 10.
#define PRESSURE_EVERY_MS 60000u
/* A worker that is over its limit at once is not replaced more often. */
#define YOUNG_MS 10000u
#define YOUNG_REQUESTS 8u
/* The ladder looks so many looks ahead, and marks so many workers in one. */
#define SOON_LOOKS 3u
#define MARKS_MAX 8
#define SETTLE_MS 1500u

bool
rules_wanted(const struct memory *m)
{
	const struct rfk_settings_table *s = &m->pool->settings;

	return s->worker_memory_limit > 0 || m->budget_kb > 0 ||
	       s->refork_auto != 0 || s->refork_afters > 0;
}

void
rules_budget(struct memory *m, uint64_t now_ms)
{
	const struct rfk_settings_table *s = &m->pool->settings;
	uint64_t was_kb = m->budget_kb, all_kb;
	const char *what;

	if (m->budget_ms != 0 && now_ms < m->budget_ms + BUDGET_EVERY_MS)
		return;
	m->budget_ms = now_ms;
	m->budget_kb = (uint64_t)s->memory_budget / 1024;
	if (s->memory_budget_percent > 0) {
		all_kb = cgroup_available_kb(&m->cgroup, "/proc", &what);
		m->budget_kb =
		    all_kb / 100 * (uint64_t)s->memory_budget_percent;
		if (m->budget_kb == 0)
			log_warn("memory_budget %lld%%: neither the cgroup nor "
				 "/proc/meminfo says how much there is: no "
				 "budget",
			    (long long)s->memory_budget_percent);
		else if (m->budget_kb != was_kb)
			log_info("memory budget: %llu MB, %lld %% of %s "
				 "(%llu MB)",
			    (unsigned long long)m->budget_kb / MB,
			    (long long)s->memory_budget_percent, what,
			    (unsigned long long)all_kb / MB);
	} else if (m->budget_kb != was_kb && m->budget_kb > 0) {
		log_info("memory budget: %llu MB",
		    (unsigned long long)m->budget_kb / MB);
	}
}

/* --- one worker ---------------------------------------------------------- */

static uint64_t
limit_kb(const struct memory *m, const struct child *c)
{
	const struct rfk_settings_table *s = &m->pool->settings;

	return (uint64_t)settings_with_jitter(
		   s->worker_memory_limit, s->worker_memory_jitter, c->token) /
	       1024;
}

bool
rules_over(
    const struct memory *m, const struct child *c, const struct figures *f)
{
	uint64_t limit = limit_kb(m, c);
	uint64_t kb = m->pool->settings.worker_memory_rss != 0
			  ? f->rss_now_kb
			  : figures_uss_kb(f);

	return limit > 0 && kb > limit && child_serves(c) &&
	       !recycle_wanted(m->pool, c);
}

/* With figures that are fresh. */
void
rules_limit(struct memory *m, struct child *c, const struct figures *f)
{
	const struct rfk_settings_table *s = &m->pool->settings;
	bool by_rss = s->worker_memory_rss != 0;
	struct board_view v;

	if (m->pool->master->phase != MASTER_SERVING || !rules_over(m, c, f))
		return;
	child_row(c, &v);
	if (v.requests < YOUNG_REQUESTS && clock_ms() < c->ready_ms + YOUNG_MS)
		return;
	recycle_want(m->pool, c,
	    "has %llu MB (%s) after %llu requests, above its %llu MB of "
	    "worker_memory_limit %lld MB%s",
	    (unsigned long long)(by_rss ? f->rss_now_kb : f->uss_kb) / MB,
	    by_rss ? "RSS" : "USS", (unsigned long long)v.requests,
	    (unsigned long long)limit_kb(m, c) / MB,
	    (long long)s->worker_memory_limit / 1024 / MB,
	    v.requests < YOUNG_REQUESTS ? " (too low for this application?)"
					: "");
}

/* --- the budget ----------------------------------------------------------- */

static bool
reforks(const struct pool *p)
{
	return p->settings.refork_auto != 0 || p->settings.refork_afters > 0;
}

/* Half of them at each look: the others serve meanwhile. */
static void
go_on_collecting(struct memory *m)
{
	struct pool *p = m->pool;
	uint32_t left = (p->wanted + 1) / 2;
	struct child *c;

	for (; left > 0 && m->collecting < p->slots; m->collecting++) {
		c = pool_serving(p, m->collecting);
		if (c == NULL)
			continue;
		child_send(c, RFK_MSG_GC);
		left--;
	}
}

static void
end_fattest(struct memory *m, const char *state)
{
	struct child *c = m->now.fattest;
	char name[96];

	if (c == NULL || !child_serves(c))
		return;
	log_warn("%s: %s has %llu MB of its own and drains now, its successor "
		 "comes after it",
	    state, child_name(c, name, sizeof(name)),
	    (unsigned long long)m->now.fattest_kb / MB);
	child_event(c, LIFE_QUIT);
}

static void
scale(struct memory *m, bool fewer, const char *state)
{
	struct pool *p = m->pool;

	if (fewer)
		m->cut++;
	else
		m->cut--;
	pool_scale(p, fewer ? p->wanted - 1 : p->wanted + 1, state);
	m->wanted = p->wanted;
}

static void
obey(struct memory *m, enum ladder_step step)
{
	struct pool *p = m->pool;
	char state[160];

	snprintf(state, sizeof(state),
	    "the pool holds %llu MB of its memory_budget %llu MB",
	    (unsigned long long)m->now.pss_kb / MB,
	    (unsigned long long)m->budget_kb / MB);
	switch (step) {
	case LADDER_NOTHING:
		return;
	case LADDER_COLLECT:
		log_info("%s: asking %u workers to collect and trim", state,
		    m->now.workers);
		m->collecting = 0;
		break;
	case LADDER_RECYCLE:
		recycle_want(p, m->now.fattest,
		    "has most of its own, %llu MB, while %s",
		    (unsigned long long)m->now.fattest_kb / MB, state);
		return; /* it needs no time: the sums know of it */
	case LADDER_REFORK:
		succession_start(
		    p, SUCCESSION_REFORK, false, UINT32_MAX, state);
		break;
	case LADDER_FEWER:
	case LADDER_MORE:
		scale(m, step == LADDER_FEWER, state);
		break;
	case LADDER_END:
		end_fattest(m, state);
		break;
	}
	m->acted_ms = clock_ms();
}

static struct ladder_view
ladder_sees(struct memory *m, uint64_t now_ms)
{
	struct pool *p = m->pool;
	const struct totals *t = &m->now;
	struct ladder_view v = { .now_ms = now_ms };

	v.budget_kb = m->budget_kb;
	v.pss_kb = t->pss_kb;
	v.going_kb = t->going_kb;
	v.soon_kb = t->grown_kb * SOON_LOOKS;
	v.fattest_kb = t->fattest_kb;
	v.fattest_age_ms =
	    t->fattest != NULL ? now_ms - t->fattest->ready_ms : 0;
	v.median_kb = t->median_kb;
	v.workers = t->workers;
	v.wanted = p->wanted;
	v.cut = m->cut;
	v.is_busy = recycle_busy(p) || !succession_idle(p) ||
		    pool_count(p, LIFE_DRAINING) > 0;
	v.is_settled = t->is_complete && m->collecting >= p->slots &&
		       now_ms >= m->acted_ms + SETTLE_MS;
	v.may_refork = reforks(p);
	return v;
}

/* Several may be marked in one look: each is then counted as gone. */
static void
keep_budget(struct memory *m, uint64_t now_ms)
{
	struct pool *p = m->pool;
	struct ladder_view v;
	enum ladder_step step;
	int i;

	if (m->wanted != p->wanted) { /* by hand, or by a reload */
		m->wanted = p->wanted;
		m->cut = 0;
	}
	for (i = 0; i < MARKS_MAX; i++) {
		v = ladder_sees(m, now_ms);
		step = ladder_next(&m->ladder, &v);
		obey(m, step);
		if (step != LADDER_RECYCLE)
			return;
		memory_sum(m);
	}
}

/* --- what the kernel says --------------------------------------------------
 */

static void
watch(struct memory *m, uint64_t now_ms)
{
	struct cgroup_events was = m->events, *e = &m->events;
	bool had = m->has_events;

	if (now_ms < m->watched_ms + WATCH_EVERY_MS)
		return;
	m->watched_ms = now_ms;
	m->has_events = cgroup_events_read(&m->cgroup, "/proc", e) == 0;
	if (!had || !m->has_events)
		return;
	if (e->oom_kill > was.oom_kill)
		log_error("the kernel has ended %llu processes of this cgroup "
			  "for want of memory (oom_kill)",
		    (unsigned long long)(e->oom_kill - was.oom_kill));
	if ((e->high <= was.high && e->max <= was.max &&
		e->some_avg10 < PRESSURE_PERCENT) ||
	    (m->pressure_ms != 0 &&
		now_ms < m->pressure_ms + PRESSURE_EVERY_MS))
		return;
	m->pressure_ms = now_ms;
	m->collecting = 0;
	log_warn("memory is short: cgroup high %llu -> %llu, max %llu -> "
		 "%llu, pressure %.1f %% over 10 s: asking the workers to "
		 "collect and trim",
	    (unsigned long long)was.high, (unsigned long long)e->high,
	    (unsigned long long)was.max, (unsigned long long)e->max,
	    e->some_avg10);
}

/* --- reforks ----------------------------------------------------------------
 */

static void
say_yield(const struct thrift_yield *y)
{
	log_info("refork to gen=%u brought %lld MB (%.0f %%): %llu MB before, "
		 "%llu MB in the mean over %llu requests of each worker since; "
		 "it cost %llu ms of CPU%s",
	    y->generation, (long long)y->gain_kb / MB, y->percent,
	    (unsigned long long)y->before_kb / MB,
	    (unsigned long long)y->after_kb / MB,
	    (unsigned long long)y->requests, (unsigned long long)y->cost_ms,
	    y->is_poor ? " (poor)" : "");
}

/* A mold that was booted is another application: nothing to compare with. */
static void
new_generation(struct memory *m)
{
	struct moldlink *mold = m->pool->mold;
	int64_t cpu_ms;

	m->generation = m->pool->generation;
	m->generation_ms = clock_ms();
	if (mold->by_boot) {
		memset(&m->thrift, 0, sizeof(m->thrift));
		return;
	}
	cpu_ms = procmem_cpu_ms(mold->process.pid);
	if (cpu_ms >= 0)
		thrift_cost(&m->thrift, (uint64_t)cpu_ms);
}

static void
look_at_reforks(struct memory *m, uint64_t now_ms)
{
	struct pool *p = m->pool;
	struct thrift_rules rules = {
		.min_gain_kb = (uint64_t)p->settings.refork_min_gain / 1024,
		.interval_ms = (uint64_t)p->settings.refork_interval,
		.cpu = (uint32_t)p->settings.refork_cpu,
	};
	struct thrift_view v = { .now_ms = now_ms };

	if (p->mold == NULL || m->now.workers == 0)
		return;
	v.is_idle = m->now.is_complete && succession_idle(p) &&
		    m->now.is_current && !recycle_busy(p) &&
		    pool_count(p, LIFE_DRAINING) == 0;
	if (v.is_idle &&
	    (m->generation_ms == 0 || m->generation != p->generation))
		new_generation(m);
	v.generation = p->generation;
	v.requests = m->now.requests;
	v.pss_kb = m->now.pss_kb;
	v.uss_kb = m->now.uss_kb;
	v.rss_kb = m->now.rss_kb / m->now.workers;
	v.workers = m->now.workers;
	v.cpu_ms = m->cpu_ms;
	v.mold_rss_kb = m->now.fattest_kb; /* what a donor adds, at most */
	v.fattest_kb = m->now.fattest_pss_kb;
	v.budget_kb = m->budget_kb;
	v.decay = m->now.decay;
	if (thrift_look(&m->thrift, &rules, &v, &m->yield)) {
		m->has_yield = true;
		say_yield(&m->yield);
	}
	if (p->settings.refork_auto != 0 && v.is_idle &&
	    thrift_pays(
		&m->thrift, &rules, &v, m->auto_text, sizeof(m->auto_text)))
		succession_start(
		    p, SUCCESSION_REFORK, false, UINT32_MAX, m->auto_text);
}

void
rules_look(struct memory *m, uint64_t now_ms)
{
	if (m->pool->master->phase != MASTER_SERVING)
		return;
	rules_budget(m, now_ms);
	watch(m, now_ms);
	go_on_collecting(m);
	keep_budget(m, now_ms);
	look_at_reforks(m, now_ms);
}
