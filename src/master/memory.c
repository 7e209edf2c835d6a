/*
 * Reading: who is looked at when, and the sums. What follows from them stands
 * in rules.c.
 */
#include "master/memory.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/record.h"
#include "ipc/board.h"
#include "master/master.h"
#include "master/sampler.h"

#define TICK_S 0.5
/* statm of so many processes at most in one tick. */
#define STATM_MAX 64u
/* A sample that took t is followed by so many t of rest. */
#define REST 200u
#define REST_HURRIED 20u
/* How memory grows again after a fork is worth more looks. */
#define REST_YOUNG 100u
#define YOUNG_MS 60000u
#define REST_MIN_MS 20u
/*
 * A sample takes some 0.4 ms of a core that a worker may share: 25 of them a
 * second were its p99, and ended its waiting awake.
 */
#define REST_YOUNG_MIN_MS 200u
/* What has done nothing is looked at again after this. */
#define QUIET_MS 60000u
/* Faults per request are counted over so many requests and so long. */
#define WINDOW_REQUESTS 16u
#define WINDOW_MS 2000u

static void
read_rss(struct figures *f)
{
	int64_t rss = f->pid != 0 ? procmem_rss_kb(f->pid) : -1;

	if (rss < 0)
		return;
	f->grown_kb = f->rss_now_kb > 0 && (uint64_t)rss > f->rss_now_kb
			  ? (uint64_t)rss - f->rss_now_kb
			  : 0;
	f->rss_now_kb = (uint64_t)rss;
}

/* Faults come from the worker's row, which it writes once a second. */
static void
count_faults(struct figures *f, const struct board_view *v, uint64_t now_ms)
{
	uint64_t faults = v->faults_now - v->faults_start;
	double rate;

	if (v->pid != f->pid || v->faults_now < v->faults_start)
		return;
	if (f->window_ms == 0)
		f->window_ms = now_ms;
	if (v->requests < f->window_requests + WINDOW_REQUESTS ||
	    now_ms < f->window_ms + WINDOW_MS || faults < f->window_faults)
		return;
	rate = (double)(faults - f->window_faults) /
	       (double)(v->requests - f->window_requests);
	if (f->early < 0)
		f->early = rate;
	else
		f->late = f->late < 0 ? rate : (f->late + rate) / 2;
	f->window_ms = now_ms;
	f->window_requests = v->requests;
	f->window_faults = faults;
}

static void
read_cheap(struct memory *m, uint64_t now_ms)
{
	uint32_t i, n = 0, rows = 2 * m->pool->slots;
	struct board_view v;
	size_t k;

	for (i = 0; i < rows; i++) {
		struct figures *f = &m->worker[(m->statm_at + i) % rows];
		struct child *c = &m->pool->children[f - m->worker];

		if (f->pid == 0)
			continue;
		if (++n > STATM_MAX)
			break;
		read_rss(f);
		child_row(c, &v);
		count_faults(f, &v, now_ms);
	}
	m->statm_at = rows > 0 ? (m->statm_at + i) % rows : 0;
	for (k = 0; k < MEMORY_OTHERS; k++)
		read_rss(&m->other[k]);
}

/* --- the full figures --------------------------------------------------- */

/* Who needs a look most? Larger is more; 0 = none is needed. */
static uint64_t
need(const struct memory *m, const struct figures *f, const struct child *c,
    uint64_t now_ms)
{
	struct board_view v = { 0 };
	bool quiet;

	if (f->pid == 0)
		return 0;
	if (f->asked_ms == 0)
		return UINT64_MAX;
	if (c != NULL) {
		child_row(c, &v);
		if (rules_over(m, c, f) && f->asked_ms + 500 < now_ms)
			return UINT64_MAX - 1;
	}
	quiet = v.requests == f->requests && f->rss_now_kb == f->rss_kb &&
		f->at_ms > m->acted_ms;
	if (quiet && now_ms < f->asked_ms + QUIET_MS)
		return 0;
	return now_ms - f->asked_ms;
}

static struct figures *
neediest(struct memory *m, uint64_t now_ms, uint64_t *token)
{
	struct pool *p = m->pool;
	struct figures *best = NULL;
	uint64_t most = 0, n;
	size_t i;

	for (i = 0; i < 2 * (size_t)p->slots; i++) {
		n = need(m, &m->worker[i], &p->children[i], now_ms);
		if (n > most) {
			most = n;
			best = &m->worker[i];
			*token = i;
		}
	}
	for (i = 0; i < MEMORY_OTHERS; i++) {
		n = need(m, &m->other[i], NULL, now_ms);
		if (n > most) {
			most = n;
			best = &m->other[i];
			*token = RFK_ROWS_MAX + i;
		}
	}
	return best;
}

static void
ask_next(struct memory *m, uint64_t now_ms)
{
	uint64_t token = 0;
	struct figures *f;

	if (sampler_is_busy(m->sampler) || now_ms < m->next_ms)
		return;
	f = neediest(m, now_ms, &token);
	if (f != NULL && sampler_ask(m->sampler, token, f->pid) == 0)
		f->asked_ms = now_ms;
}

/* A tick is too seldom for a generation that nobody has looked at yet. */
static bool
is_hurried(const struct memory *m)
{
	return !m->now.is_complete ||
	       (m->budget_kb > 0 &&
		   m->now.pss_kb > m->budget_kb / 100 * (LADDER_HIGH - 10));
}

/*
 * Until then the tick asks nobody. Who has a budget to keep is looked at as
 * often as the cost allows: what leaks meanwhile is not seen.
 */
static void
rest(struct memory *m, uint64_t took_us, uint64_t now_ms)
{
	bool hurried = is_hurried(m);
	bool young = m->now.workers > 1 && now_ms < m->generation_ms + YOUNG_MS;
	bool often = hurried || m->budget_kb > 0;
	uint64_t times = hurried ? REST_HURRIED : REST_YOUNG;
	uint64_t least = often ? REST_MIN_MS : REST_YOUNG_MIN_MS;
	uint64_t ms;

	if (!often && !young)
		times = REST;
	ms = took_us * times / 1000;
	if (ms < least)
		ms = least;
	m->next_ms = now_ms + ms;
	if (!often && !young)
		return;
	ev_timer_set(&m->rest, (double)ms / 1e3, 0.);
	ev_timer_start(m->pool->master->loop, &m->rest);
}

static void
take(struct memory *m, struct figures *f, const struct sample *s,
    uint64_t now_ms)
{
	if (s->cpu_ms >= 0) {
		if (s->cpu_ms > f->cpu_ms)
			m->cpu_ms += (uint64_t)(s->cpu_ms - f->cpu_ms);
		f->cpu_ms = s->cpu_ms;
	}
	/* It has gone, or is about to: its memory is the first to go. */
	if (s->rss_kb <= 0)
		return;
	if (s->rc < 0 && !m->is_blind) {
		m->is_blind = true;
		log_warn("memory of pid=%d: smaps_rollup cannot be read (%s): "
			 "limits and budget count RSS, shared pages too",
		    (int)s->pid, strerror(-s->rc));
	}
	f->at_ms = now_ms;
	f->rss_kb = (uint64_t)s->rss_kb;
	f->rss_now_kb = f->rss_kb;
	f->pss_kb = s->rc == 0 ? s->memory.pss_kb : f->rss_kb;
	f->uss_kb = s->rc == 0 ? s->memory.uss_kb : f->rss_kb;
}

static void
on_sample(void *arg, const struct sample *s)
{
	struct memory *m = arg;
	uint64_t now_ms = clock_ms();
	struct figures *f = s->token < RFK_ROWS_MAX
				? &m->worker[s->token]
				: &m->other[s->token - RFK_ROWS_MAX];
	struct board_view v;
	struct child *c;

	if (f->pid == s->pid) { /* else another one has its place by now */
		take(m, f, s, now_ms);
		/* One figure is compared with the sums of all: as new as it. */
		memory_sum(m);
	}
	rest(m, s->took_us, now_ms);
	if (f->pid != s->pid || s->token >= RFK_ROWS_MAX)
		return;
	c = &m->pool->children[s->token];
	child_row(c, &v);
	f->requests = v.requests;
	rules_limit(m, c, f);
}

static void
look(struct memory *m, uint64_t now_ms)
{
	memory_follow(m);
	read_cheap(m, now_ms);
	memory_sum(m);
	rules_look(m, now_ms);
	ask_next(m, now_ms);
}

/* Near its budget a pool is not left alone for a whole tick. */
static void
on_rest(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct memory *m = w->data;

	(void)loop;
	(void)revents;
	if (m->budget_kb > 0 && is_hurried(m))
		look(m, clock_ms());
	else
		ask_next(m, clock_ms());
}

/* --- the whole ---------------------------------------------------------- */

static void
on_tick(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	look(w->data, clock_ms());
}

struct memory *
memory_open(struct pool *p)
{
	/* Rows of slots that are never used stay untouched zero pages. */
	struct memory *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return NULL;
	m->pool = p;
	m->collecting = UINT32_MAX; /* nobody is asked */
	ev_timer_init(&m->tick, on_tick, TICK_S, TICK_S);
	m->tick.data = m;
	ev_timer_init(&m->rest, on_rest, 0., 0.);
	m->rest.data = m;
	cgroup_find(&m->cgroup, "/proc", "/sys/fs/cgroup");
	return m;
}

void
memory_close(struct memory *m)
{
	if (m == NULL)
		return;
	ev_timer_stop(m->pool->master->loop, &m->tick);
	ev_timer_stop(m->pool->master->loop, &m->rest);
	sampler_close(m->sampler);
	free(m);
}

void
memory_apply(struct memory *m)
{
	struct ev_loop *loop = m->pool->master->loop;

	m->budget_ms = 0;
	rules_budget(m, clock_ms());
	if (!rules_wanted(m)) {
		ev_timer_stop(loop, &m->tick);
		ev_timer_stop(loop, &m->rest);
		sampler_close(m->sampler);
		m->sampler = NULL;
		return;
	}
	if (m->sampler == NULL)
		m->sampler = sampler_open(loop, on_sample, m);
	if (m->sampler == NULL) {
		log_warn("no thread for memory figures: limits, budget and "
			 "refork :auto rest");
		return;
	}
	if (!ev_is_active(&m->tick)) {
		ev_timer_set(&m->tick, TICK_S, TICK_S);
		ev_timer_start(loop, &m->tick);
	}
}

void
memory_say(const struct memory *m, struct buf *line)
{
	const struct thrift_yield *y = &m->yield;

	if (m->sampler == NULL)
		return;
	if (m->now.is_complete)
		(void)record_count(line, "pss_kb", m->now.pss_kb);
	if (m->budget_kb > 0)
		(void)record_count(line, "budget_kb", m->budget_kb);
	if (m->pool->settings.refork_auto != 0 && m->auto_text[0] != '\0')
		(void)record_text(line, "refork_auto", m->auto_text);
	if (!m->has_yield)
		return;
	(void)record_count(line, "yield_generation", y->generation);
	(void)record_signed(line, "yield_kb", y->gain_kb);
	(void)record_signed(line, "yield_percent", (int64_t)y->percent);
	(void)record_count(line, "yield_cost_ms", y->cost_ms);
}
