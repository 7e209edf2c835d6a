/*
 * Each step has its own memory of when it was last tried: a rung that was
 * climbed a short while ago and did not help is left out, so that the next one
 * comes. Replacing is given up when even the fattest worker is young: then the
 * pool needs more than its budget whatever is replaced.
 */
#include "master/ladder.h"

#define COLLECT_EVERY_MS 60000u
#define REFORK_EVERY_MS 300000u
#define YOUNG_MS 3000u
#define FAR_ABOVE 115u
#define FAR_ABOVE_MS 10000u
#define ROOM_MS 60000u
/* A replacement that brings less is not worth a fork. */
#define WORTH_KB 4096u

static uint64_t
part(uint64_t kb, unsigned int percent)
{
	return kb / 100 * percent;
}

static bool
due(uint64_t last_ms, uint64_t now_ms, uint64_t every_ms)
{
	return last_ms == 0 || now_ms >= last_ms + every_ms;
}

/* Below the ladder: what it took away may come back, after a while. */
static enum ladder_step
relax(struct ladder *l, const struct ladder_view *v)
{
	uint64_t one = v->workers > 0 ? v->pss_kb / v->workers : v->pss_kb;

	if (v->cut == 0 || v->pss_kb + one > part(v->budget_kb, LADDER_LOW)) {
		l->room_ms = 0;
		return LADDER_NOTHING;
	}
	if (l->room_ms == 0)
		l->room_ms = v->now_ms;
	if (v->is_busy || v->now_ms < l->room_ms + ROOM_MS)
		return LADDER_NOTHING;
	l->room_ms = 0;
	return LADDER_MORE;
}

/* Far above for a while, or only one worker is left: no time for successors. */
static bool
must_end(struct ladder *l, const struct ladder_view *v)
{
	if (v->pss_kb <= part(v->budget_kb, FAR_ABOVE)) {
		l->over_ms = 0;
		return false;
	}
	if (l->over_ms == 0)
		l->over_ms = v->now_ms;
	if (v->now_ms < l->over_ms + FAR_ABOVE_MS ||
	    !due(l->ended_ms, v->now_ms, FAR_ABOVE_MS) || v->workers == 0)
		return false;
	return v->fattest_kb >= WORTH_KB;
}

/* What it comes to when those that leave have left. */
static uint64_t
rest(const struct ladder_view *v)
{
	return v->pss_kb > v->going_kb ? v->pss_kb - v->going_kb : 0;
}

static bool
recycles(const struct ladder_view *v)
{
	return v->workers > 0 && v->fattest_kb >= WORTH_KB &&
	       v->fattest_age_ms >= YOUNG_MS;
}

static enum ladder_step
climb(struct ladder *l, const struct ladder_view *v)
{
	bool alike = v->fattest_kb < v->median_kb * 3 / 2;

	if (due(l->collected_ms, v->now_ms, COLLECT_EVERY_MS)) {
		l->collected_ms = v->now_ms;
		return LADDER_COLLECT;
	}
	/* Above the budget there is no time to see what collecting brings. */
	if (!v->is_settled && rest(v) < v->budget_kb)
		return LADDER_NOTHING;
	if (recycles(v))
		return LADDER_RECYCLE;
	if (v->is_busy || !v->is_settled)
		return LADDER_NOTHING;
	if (alike && v->may_refork && v->workers > 1 &&
	    due(l->reforked_ms, v->now_ms, REFORK_EVERY_MS)) {
		l->reforked_ms = v->now_ms;
		return LADDER_REFORK;
	}
	if (v->wanted <= 1 || rest(v) < v->budget_kb)
		return LADDER_NOTHING;
	return LADDER_FEWER;
}

enum ladder_step
ladder_next(struct ladder *l, const struct ladder_view *v)
{
	if (v->budget_kb == 0)
		return LADDER_NOTHING;
	if (must_end(l, v)) {
		l->ended_ms = v->now_ms;
		return LADDER_END;
	}
	if (rest(v) + v->soon_kb < part(v->budget_kb, LADDER_HIGH))
		return relax(l, v);
	l->room_ms = 0;
	return climb(l, v);
}

const char *
ladder_step_name(enum ladder_step step)
{
	static const char *const names[] = { "nothing", "collect", "recycle",
		"refork", "fewer", "end", "more" };

	return names[step];
}
