/* classic.c - Discourse's rule as published, and a counter. */
#include "gc/classic.h"

#include <inttypes.h>
#include <stdio.h>

#define DELTA_MIN 50000
#define REQUESTS_MIN 3
/* Room is kept for two big requests. */
#define BIG_REQUESTS 2

static void
delta_see(struct gc_discourse *d, uint64_t delta)
{
	uint64_t more = d->max_delta + d->max_delta / 2;
	uint64_t less = d->max_delta / 100 * 99;

	if (d->max_delta == 0)
		d->max_delta = delta;
	else if (delta > d->max_delta)
		d->max_delta = more < delta ? more : delta;
	else
		d->max_delta = less > delta ? less : delta;
	if (d->max_delta < DELTA_MIN)
		d->max_delta = DELTA_MIN;
}

enum gc_discourse_says
gc_discourse_request(struct gc_discourse *d, const struct gc_heap *before,
    const struct gc_heap *after)
{
	d->requests++;
	if (d->expect == 0)
		d->expect = before->live + before->free;
	if (before->count != after->count)
		return GC_DISCOURSE_MISS;
	delta_see(
	    d, after->live > before->live ? after->live - before->live : 0);
	if (d->requests > REQUESTS_MIN &&
	    BIG_REQUESTS * d->max_delta + after->live > d->expect)
		return GC_DISCOURSE_HIT;
	return GC_DISCOURSE_WAIT;
}

void
gc_discourse_hit_line(const struct gc_discourse *d, int pid, uint64_t saved_ms,
    char *out, size_t size)
{
	snprintf(out, size,
	    "OobGC hit pid: %d req: %" PRIu64 " max delta: %" PRIu64
	    " expect at: %" PRIu64 " %" PRIu64 "ms saved",
	    pid, d->requests, d->max_delta, d->expect, saved_ms);
}

void
gc_discourse_miss_line(
    const struct gc_discourse *d, int pid, char *out, size_t size)
{
	snprintf(out, size,
	    "OobGC miss pid: %d reqs: %" PRIu64 " max delta: %" PRIu64, pid,
	    d->requests, d->max_delta);
}

void
gc_discourse_collected(struct gc_discourse *d, const struct gc_heap *after)
{
	d->requests = 0;
	d->expect = after->live + after->free;
}

bool
gc_every_request(uint64_t *requests, uint64_t every)
{
	if (++*requests < every)
		return false;
	*requests = 0;
	return true;
}
