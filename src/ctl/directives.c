/*
 * directives.c - rules whose remedy is a line of the configuration file.
 */
#include "ctl/advice.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* So many ms of collections in 1,000 requests nobody will ever notice. */
#define WORTH_MS 5
/* Below so many collections inside they are chance. */
#define MISSES_MIN 10
/* Smaller heaps have no pages to give back. */
#define HOLES_SLOTS 100000

static bool
has_other_malloc(const struct advise *in)
{
	size_t i;

	for (i = 0; i < in->settings; i++)
		if (strcmp(in->setting[i].name, "LD_PRELOAD") == 0)
			return true;
	return false;
}

static void
rule_arenas(struct advice *a)
{
	const struct advise *in = a->in;

	/* Another malloc has no arenas of glibc's. */
	if (in->arenas <= 2 || in->threads < 2 || has_other_malloc(in))
		return;
	advice_say(a, "arenas", NULL, "malloc arena_max: 2",
	    "%" PRIu64 " arenas of malloc in a process of %" PRIu64
	    " threads, %.0f MB of malloc's private to the workers",
	    in->arenas, in->threads, (double)in->malloc_kb / 1024.);
}

/* Nothing is collected between requests: it is off, or another's way. */
static void
oob_is_off(struct advice *a, double ms)
{
	if (ms >= WORTH_MS)
		advice_say(a, "oob", NULL, "oob_gc true",
		    "%" PRIu64 " collections inside of %" PRIu64
		    " requests and none between them: %.1f ms in 1,000 "
		    "requests that nobody would have to wait for",
		    a->in->misses, a->in->requests, ms);
}

/* Where malloc is the reason, its limit is the remedy. */
static void
oob_is_late(struct advice *a)
{
	const struct advise *in = a->in;

	if (in->hits < 20 * in->misses && in->by_malloc <= in->by_newobj)
		advice_say(a, "oob", NULL, "oob_gc guard: 0.5",
		    "%" PRIu64 " collections inside requests beside %" PRIu64
		    " between them, for want of slots: one that does not wait "
		    "until three quarters of the room are used is in time",
		    in->misses, in->hits);
}

static void
rule_oob(struct advice *a)
{
	const struct advise *in = a->in;
	double thousands = (double)in->requests / 1000.;
	double all_ms = (double)(in->gc_in_us + in->gc_out_us) / 1000.;

	if (in->is_batch || in->requests < ADVISE_REQUESTS_MIN)
		return;
	if (in->misses >= MISSES_MIN && in->hits == 0)
		oob_is_off(a, all_ms / thousands);
	else if (in->misses >= MISSES_MIN)
		oob_is_late(a);
	if (in->hits > 0 && in->requests >= ADVISE_IDLE_MIN &&
	    all_ms < WORTH_MS * thousands)
		advice_say(a, "oob", NULL, "oob_gc false",
		    "collections take %.1f ms in 1,000 requests (one in "
		    "%" PRIu64
		    "): to have them between requests saves next to nothing",
		    all_ms / thousands, in->requests / (in->hits + in->misses));
}

static void
rule_compaction(struct advice *a)
{
	const struct advise *in = a->in;

	if (in->mold_slots < HOLES_SLOTS || in->mold_compactions > 0 ||
	    (in->mold_slots - in->mold_live) * 4 <= in->mold_slots)
		return;
	advice_say(a, "compaction", NULL, "heap_preparation true; compact true",
	    "%.0f %% of the mold's %" PRIu64
	    " slots are free, and it has never been compacted: each worker "
	    "writes into these holes for itself",
	    advice_percent(in->mold_slots - in->mold_live, in->mold_slots),
	    in->mold_slots);
}

void
advice_directives(struct advice *a)
{
	rule_arenas(a);
	rule_oob(a);
	rule_compaction(a);
}
