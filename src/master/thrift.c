#include "master/thrift.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define GAIN_MIN_KB 6144u
#define GAIN_PERCENT 3u
/* Poor is a yield below this share of what is wanted: it was promised more. */
#define POOR_SHARE .5
#define POOR_ALLOWED 2u
/* Growth that goes on: this share of its first pace, this percent of RSS. */
#define STEADY .5
#define GROWTH_PERCENT 4u
#define GROWTH_MIN_KB 4096u
#define POOR_SHIFT_MAX 3u
#define YOUNG_REQUESTS 8u
#define YOUNG_INTERVALS 20u
#define MEASURE_MAX_MS 600000u
/* Savings are to last for so long: early reforks would leave none for later. */
#define PACE_MS 300000u
/* So much of a succession counts: what is slow for want of CPU will be quick
 * again. */
#define OVERLAP_MAX_MS 2000u
/* The first one's cost is guessed: a heap is prepared at 10 ms a MB. */
#define GUESS_MS_PER_MB 10u
#define GUESS_MIN_MS 50u

static uint64_t
cost_guess(const struct thrift *t, const struct thrift_view *v)
{
	uint64_t guess = v->mold_rss_kb / 1024 * GUESS_MS_PER_MB;

	if (t->cost_ms > 0)
		return t->cost_ms;
	return guess > GUESS_MIN_MS ? guess : GUESS_MIN_MS;
}

static uint64_t
min_gain_kb(const struct thrift_rules *r, uint64_t pss_kb)
{
	uint64_t least = pss_kb / 100 * GAIN_PERCENT;

	if (r->min_gain_kb > 0)
		return r->min_gain_kb;
	return least > GAIN_MIN_KB ? least : GAIN_MIN_KB;
}

/*
 * A share of what the pool has worked, at least as if it kept one processor
 * busy: what has little to do has time. Unused credit does not pile up: a quiet
 * week pays for two reforks.
 */
static void
earn(
    struct thrift *t, const struct thrift_rules *r, const struct thrift_view *v)
{
	double most = 2. * (double)cost_guess(t, v);
	uint64_t worked = v->cpu_ms > t->cpu_ms ? v->cpu_ms - t->cpu_ms : 0;
	uint64_t passed = v->now_ms > t->look_ms ? v->now_ms - t->look_ms : 0;
	double earned =
	    (double)(worked > passed ? worked : passed) * r->cpu / 1e4;

	if (most < THRIFT_CREDIT_MS)
		most = THRIFT_CREDIT_MS;
	t->cpu_ms = v->cpu_ms;
	t->look_ms = v->now_ms;
	t->credit_ms += earned;
	t->earned_ms += earned;
	if (t->credit_ms > most)
		t->credit_ms = most;
}

/* While generations overlap the pool has more than it had before. */
static void
note_overlap(struct thrift *t, const struct thrift_view *v, uint64_t passed_ms)
{
	if (t->seen_pss_kb == 0 || t->overlap_ms >= OVERLAP_MAX_MS)
		return;
	t->overlap_ms += passed_ms;
	if (v->pss_kb > t->seen_pss_kb)
		t->overlap_kb_ms +=
		    (double)(v->pss_kb - t->seen_pss_kb) * (double)passed_ms;
}

static void
begin(struct thrift *t, const struct thrift_view *v)
{
	t->has_begun = true;
	t->is_first = true;
	t->credit_ms = THRIFT_CREDIT_MS;
	t->cpu_ms = v->cpu_ms;
	t->look_ms = v->now_ms;
	t->generation = v->generation;
	t->since_ms = v->now_ms;
}

/* A new generation serves alone: its yield is measured from now on. */
static void
turn_over(struct thrift *t, const struct thrift_view *v)
{
	t->generation = v->generation;
	t->since_ms = v->now_ms;
	t->is_first = false;
	t->uss_sum_kb = 0;
	t->looks = 0;
	t->marks = 0;
	t->is_measuring = t->seen_pss_kb > 0 && t->seen_requests > 0;
	t->its_cost_ms = t->cost_ms;
	t->before_kb = t->seen_pss_kb;
	t->before_requests = t->seen_requests;
	t->until_ms = v->now_ms + MEASURE_MAX_MS;
	t->earned_ms = 0;
	t->last_overlap_kb_ms = t->overlap_kb_ms;
	t->is_late = v->requests > t->before_requests / 4;
	t->sum_kb = 0;
	t->samples = 0;
}

static bool
finish(struct thrift *t, const struct thrift_rules *r, struct thrift_yield *out)
{
	if (t->samples == 0)
		return false;
	memset(out, 0, sizeof(*out));
	out->generation = t->generation;
	out->before_kb = t->before_kb;
	out->after_kb = (uint64_t)(t->sum_kb / t->samples);
	out->requests = t->seen_requests;
	out->cost_ms = t->its_cost_ms;
	out->gain_kb = (int64_t)out->before_kb - (int64_t)out->after_kb;
	out->percent = 100. * (double)out->gain_kb / (double)out->before_kb;
	/* Who came late has not seen how little the young ones had. */
	out->is_poor = !t->is_late &&
		       (double)out->gain_kb <
			   POOR_SHARE * (double)min_gain_kb(r, t->before_kb);
	t->poor = out->is_poor ? t->poor + 1 : 0;
	t->is_measuring = false;
	return true;
}

static void
note_growth(struct thrift *t, const struct thrift_view *v)
{
	const struct thrift_mark *last =
	    t->marks > 0 ? &t->mark[t->marks - 1] : NULL;

	if (v->requests == 0 || t->marks == THRIFT_MARKS ||
	    (last != NULL &&
		v->requests < last->requests + 1 + last->requests / 4))
		return;
	t->mark[t->marks].requests = v->requests;
	t->mark[t->marks++].rss_kb = v->rss_kb;
}

/* Kilobytes a request, when that has hardly become less; else 0. */
static double
leak_kb(const struct thrift *t, const struct thrift_view *v)
{
	const struct thrift_mark *first = t->mark, *half = t->mark;
	uint64_t least = v->rss_kb / 100 * GROWTH_PERCENT;
	double before, now;
	uint32_t i;

	if (least < GROWTH_MIN_KB)
		least = GROWTH_MIN_KB;
	for (i = 1; i < t->marks; i++)
		if (2 * t->mark[i].requests <= v->requests + first->requests)
			half = &t->mark[i];
	if (half == first || v->requests <= half->requests ||
	    v->rss_kb < half->rss_kb + least)
		return 0;
	before = ((double)half->rss_kb - (double)first->rss_kb) /
		 (double)(half->requests - first->requests);
	now = (double)(v->rss_kb - half->rss_kb) /
	      (double)(v->requests - half->requests);
	return now >= before * STEADY ? now : 0;
}

bool
thrift_look(struct thrift *t, const struct thrift_rules *r,
    const struct thrift_view *v, struct thrift_yield *out)
{
	uint64_t was_ms = t->look_ms;
	bool known = false;

	if (!t->has_begun)
		begin(t, v);
	earn(t, r, v);
	if (!v->is_idle) {
		note_overlap(t, v, v->now_ms - was_ms);
		return false;
	}
	if (v->generation != t->generation) {
		/* The next one has come: what was seen so far must do. */
		known = t->is_measuring && finish(t, r, out);
		turn_over(t, v);
	}
	t->overlap_ms = 0;
	t->overlap_kb_ms = 0;
	t->uss_sum_kb += (double)v->uss_kb;
	t->looks++;
	note_growth(t, v);
	t->seen_pss_kb = v->pss_kb;
	t->seen_requests = v->requests;
	if (known || !t->is_measuring || v->requests == 0)
		return known;
	t->sum_kb += (double)v->pss_kb;
	t->samples++;
	if (v->requests < t->before_requests && v->now_ms < t->until_ms)
		return false;
	return finish(t, r, out);
}

static uint64_t
interval_ms(const struct thrift *t, const struct thrift_rules *r)
{
	unsigned int shift = t->poor < POOR_ALLOWED ? 0 : t->poor - 1;

	return r->interval_ms
	       << (shift < POOR_SHIFT_MAX ? shift : POOR_SHIFT_MAX);
}

/*
 * A donor that has served next to nothing hands on next to nothing: the pool
 * would be as cold again. Who serves seldom need not wait for long.
 */
static bool
is_young(const struct thrift *t, const struct thrift_rules *r,
    const struct thrift_view *v)
{
	uint64_t age_ms = v->now_ms - t->since_ms;

	return age_ms < interval_ms(t, r) ||
	       (v->requests < YOUNG_REQUESTS &&
		   age_ms < YOUNG_INTERVALS * r->interval_ms);
}

static uint64_t
gain_kb(const struct thrift *t, const struct thrift_view *v)
{
	double own = (double)v->uss_kb, gain = 0, first;

	if (t->looks > 0)
		gain = own - t->uss_sum_kb / t->looks;
	first = v->decay < 1. ? own * (1. - v->decay) / 2 : 0;
	if (t->is_first && gain < first)
		gain = first;
	return gain > 0 ? (uint64_t)gain : 0;
}

/*
 * If the next generation lives as long as this one, what it saves must make up
 * for what both held while they overlapped.
 */
static uint64_t
wanted_kb(const struct thrift *t, const struct thrift_rules *r,
    const struct thrift_view *v)
{
	uint64_t least = min_gain_kb(r, v->pss_kb);
	double age_ms = (double)(v->now_ms - t->since_ms);
	double overlap = age_ms > 0 ? t->last_overlap_kb_ms / age_ms : 0;

	return (double)least > overlap ? least : (uint64_t)overlap;
}

/*
 * What this generation has earned and its share of what was saved before it.
 * The first one need not save: it has most to gain.
 */
static double
means_ms(const struct thrift *t, const struct thrift_view *v)
{
	double age = (double)(v->now_ms - t->since_ms) / (double)PACE_MS;
	double means = t->earned_ms + t->credit_ms * age;

	return t->is_first || means > t->credit_ms ? t->credit_ms : means;
}

bool
thrift_pays(const struct thrift *t, const struct thrift_rules *r,
    const struct thrift_view *v, char *why, size_t size)
{
	uint64_t gain = gain_kb(t, v), cost = cost_guess(t, v);
	uint64_t least = wanted_kb(t, r, v);
	double means = means_ms(t, v);

	if (!v->is_idle || v->workers < 2 || v->generation != t->generation) {
		snprintf(why, size, "there is nothing to share");
		return false;
	}
	if (is_young(t, r, v)) {
		snprintf(why, size, "the generation is young");
		return false;
	}
	if (leak_kb(t, v) > 0) {
		snprintf(why, size,
		    "workers still grow by %.1f kB with each request: what "
		    "leaks would be inherited",
		    leak_kb(t, v));
		return false;
	}
	if (gain < least) {
		snprintf(why, size,
		    "it would bring %" PRIu64 " of %" PRIu64
		    " MB wanted (%.0f %% warm)",
		    gain / 1024, least / 1024, 100. * (1. - v->decay));
		return false;
	}
	if (means < (double)cost) {
		snprintf(why, size,
		    "it costs %" PRIu64 " ms of CPU, refork_cpu gives this "
		    "generation %.0f so far",
		    cost, means);
		return false;
	}
	/* While generations overlap: the new mold's own heap comes on top. */
	if (v->budget_kb > 0 &&
	    v->pss_kb + v->mold_rss_kb > v->budget_kb + v->fattest_kb) {
		snprintf(why, size, "no room for a second mold in the budget");
		return false;
	}
	snprintf(why, size,
	    "auto: %u workers hold %" PRIu64 " MB of their own after %" PRIu64
	    " requests each, about %" PRIu64 " MB to gain, %.0f %% warm, "
	    "for about %" PRIu64 " ms of CPU",
	    v->workers, v->uss_kb / 1024, v->requests, gain / 1024,
	    100. * (1. - v->decay), cost);
	return true;
}

void
thrift_cost(struct thrift *t, uint64_t cpu_ms)
{
	t->cost_ms = cpu_ms > 0 ? cpu_ms : 1;
	t->credit_ms -= (double)t->cost_ms;
}
