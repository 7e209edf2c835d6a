/*
 * slots.c - how many slots a heap should begin with.
 *
 * What preload needs, and a tenth more. Free slots beyond that are made in the
 * mold and dirtied by each worker for itself: so of what a worker settles at no
 * more is added than one request allocates. A batch has no siblings to share
 * with: what lives in it is what it should begin with.
 */
#include "ctl/advice.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

/* Ruby begins with so many slots, in each pool where it has pools. */
#define SLOTS_AT_START 10000
/* From so many requests on that a worker's heap has not grown, it will not. */
#define SETTLED_REQUESTS 500

/* 3.2 has pools and no variable for them; 4.1 counts bytes. */
static bool
has_variable(const struct advise *in)
{
	return in->major >= 3 && in->major <= 4 &&
	       (in->major != 3 || in->minor != 2) &&
	       (in->major != 4 || in->minor < 1);
}

/* In the second half of its requests within 1 % of the first half's end. */
static bool
is_settled(const struct advise *in)
{
	uint64_t was = in->half_slots, now = in->all_slots;
	uint64_t more = now > was ? now - was : was - now;

	return in->half_requests >= SETTLED_REQUESTS && was > 0 &&
	       more * 100 <= was;
}

/* What a request allocates in this pool, on average. */
static uint64_t
request_needs(const struct advise *in, size_t i)
{
	double all = 0;
	size_t k;

	for (k = 0; k < in->heaps; k++)
		all += (double)in->heap[k].made;
	if (all <= 0 || in->requests == 0)
		return 0;
	return (uint64_t)((double)in->allocated / (double)in->requests *
			  (double)in->heap[i].made / all);
}

static uint64_t
wanted(const struct advise *in, size_t i, bool *by_work)
{
	uint64_t floor = in->heap[i].preload_live;
	uint64_t most;

	*by_work = false;
	if (in->is_batch) {
		*by_work = in->heap[i].live > floor;
		return *by_work ? in->heap[i].live : floor;
	}
	floor += floor / 10;
	if (!is_settled(in))
		return floor;
	most = floor + request_needs(in, i);
	if (most > in->heap[i].slots)
		most = in->heap[i].slots;
	*by_work = most > floor + floor / 100 && most > floor + 1000;
	return *by_work ? most : floor;
}

static void
say(struct advice *a, size_t i, const char *name, uint64_t want, uint64_t now,
    bool by_work)
{
	const struct advise *in = a->in;
	uint64_t live = in->heap[i].preload_live, size = in->heap[i].slot_size;
	char value[32];

	(void)snprintf(value, sizeof(value), "%" PRIu64, want);
	if (in->is_batch && by_work)
		advice_say(a, "batch", name, value,
		    "slots of %" PRIu64 " bytes: %" PRIu64
		    " in use in a batch, %" PRIu64
		    " of them from preload; Ruby starts with %" PRIu64,
		    size, in->heap[i].live, live, now);
	else if (by_work)
		advice_say(a, "plateau", name, value,
		    "slots of %" PRIu64 " bytes: %" PRIu64
		    " in use after preload, a request allocates %" PRIu64
		    " of them, a worker has settled at %" PRIu64
		    " (as after %" PRIu64
		    " requests); Ruby starts with %" PRIu64,
		    size, live, request_needs(in, i), in->heap[i].slots,
		    in->half_requests, now);
	else
		advice_say(a, "preload", name, value,
		    "slots of %" PRIu64 " bytes: %" PRIu64
		    " in use after preload, Ruby starts with %" PRIu64
		    " and collected %" PRIu64 " times (%" PRIu64
		    " ms) until then",
		    size, live, now, in->preload_count, in->preload_ms);
}

void
advice_slots(struct advice *a)
{
	const struct advise *in = a->in;
	const bool has_pools = in->major > 3 || in->minor >= 3;
	size_t i;

	for (i = 0; has_variable(in) && i < in->heaps; i++) {
		bool by_work;
		uint64_t want = wanted(in, i, &by_work), now;
		char name[64];

		want = (want + 999) / 1000 * 1000;
		if (has_pools)
			(void)snprintf(name, sizeof(name),
			    "RUBY_GC_HEAP_%zu_INIT_SLOTS", i);
		else
			(void)snprintf(
			    name, sizeof(name), "RUBY_GC_HEAP_INIT_SLOTS");
		now = advice_in_force(in, name);
		if (now == 0)
			now = SLOTS_AT_START;
		/* Nearly so, or more already: leave it. */
		if (want > now + now / 100 && want > now + 1000)
			say(a, i, name, want, now, by_work);
	}
}
