/*
 * plan.c - the mixture: mostly small requests, a third with 100 KB, seldom
 * 5 MB; some stop in the middle of their head, because a worker that drains
 * must finish what it has begun to read.
 */
#include "plan.h"
#include "body.h"
#include "rng.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

void
plan_init(struct planner *p, uint64_t seed, enum plan_mode mode)
{
	p->seed = seed;
	p->mode = mode;
	snprintf(p->tag, sizeof(p->tag), "%llx-%ld-",
	    (unsigned long long)(seed & 0xffffffff), (long)getpid());
}

static size_t
body_len(struct planner *p)
{
	unsigned dice = rng_below(&p->state, 128);

	if (dice < 2)
		return BODY_LARGE;
	return dice < 80 ? BODY_SMALL : 0;
}

static size_t
filler(struct planner *p)
{
	unsigned dice = rng_below(&p->state, 64);

	if (dice == 0)
		return 300000; /* more than a socket takes at once */
	return dice < 16 ? rng_below(&p->state, 20000) : 0;
}

static bool
one_in(struct planner *p, unsigned n)
{
	return rng_below(&p->state, n) == 0;
}

/* Number n of a seed is the same request in every run, whoever sends it. */
void
plan_next(struct planner *p, bool keep, struct plan *out)
{
	memset(out, 0, sizeof(*out));
	out->n = p->next++;
	p->state = p->seed ^ ((uint64_t)out->n << 20);
	rng_next(&p->state);
	out->keep = keep;
	out->any = p->any;
	snprintf(out->id, sizeof(out->id), "%s%u", p->tag, out->n);
	out->post = p->mode == PLAN_POST ||
		    (p->mode == PLAN_MIX && rng_below(&p->state, 5) < 2);
	if (out->post) {
		out->place = rng_below(&p->state, BODY_PLACES);
		out->body_len = body_len(p);
		out->chunked = one_in(p, 4);
		out->expect = out->body_len == BODY_SMALL && one_in(p, 6);
	}
	out->think_ms = p->think_ms;
	if (p->plain) {
		out->expect = false;
		return;
	}
	out->want = filler(p);
	out->stream = one_in(p, 8);
	if (one_in(p, 32)) {
		out->dawdle_at = 1 + rng_below(&p->state, 60);
		out->dawdle_ms = 1 + rng_below(&p->state, 30);
	}
	if (keep && one_in(p, 16))
		out->think_ms += rng_below(&p->state, 200);
}
