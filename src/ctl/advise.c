/*
 * advise.c - the rules. Each knows which Ruby reads its variable, and when its
 * numbers mean something; none speaks without a measurement.
 */
#include "ctl/advise.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MB ((uint64_t)1 << 20)
/* Ruby begins with so many slots, in each pool where it has pools. */
#define SLOTS_AT_START 10000

struct advice {
	struct buf *out;
	const struct advise *in;
	int n;
	int rc;
};

/* "64M" as Ruby reads it; 0 = not set. */
static uint64_t
in_force(const struct advise *a, const char *name)
{
	size_t i;

	for (i = 0; i < a->settings; i++) {
		char *end;
		uint64_t n;

		if (strcmp(a->setting[i].name, name) != 0)
			continue;
		n = strtoull(a->setting[i].value, &end, 10);
		switch (*end) {
		case 'k':
		case 'K':
			return n << 10;
		case 'm':
		case 'M':
			return n << 20;
		case 'g':
		case 'G':
			return n << 30;
		default:
			return n;
		}
	}
	return 0;
}

static void say(struct advice *, const char *name, const char *value,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static void
say(struct advice *a, const char *name, const char *value, const char *fmt, ...)
{
	char why[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	if (a->rc == 0)
		a->rc = buf_printf(a->out, "# %s\n%s=%s\n", why, name, value);
	a->n++;
}

static const char *
bytes_text(uint64_t bytes, char *out, size_t cap)
{
	(void)snprintf(out, cap, "%" PRIu64 "M", bytes / MB);
	return out;
}

static double
percent(uint64_t part, uint64_t whole)
{
	return whole == 0 ? 0. : 100. * (double)part / (double)whole;
}

/*
 * What preload needs, and a tenth more: free slots beyond that would be made in
 * the mold and dirtied by each worker for itself.
 */
static void
rule_init_slots(struct advice *a)
{
	const struct advise *in = a->in;
	size_t i;

	/* 3.2 has pools and no variable for them; 4.1 counts bytes. */
	if (in->major < 3 || (in->major == 3 && in->minor == 2) ||
	    (in->major == 4 && in->minor >= 1) || in->major > 4)
		return;
	for (i = 0; i < in->heaps; i++) {
		const bool has_pools = in->major > 3 || in->minor >= 3;
		uint64_t live = in->heap[i].preload_live;
		uint64_t want = (live + live / 10 + 999) / 1000 * 1000;
		char name[64], value[32], now_text[48] = "10000";
		uint64_t now;

		if (has_pools)
			(void)snprintf(name, sizeof(name),
			    "RUBY_GC_HEAP_%zu_INIT_SLOTS", i);
		else
			(void)snprintf(
			    name, sizeof(name), "RUBY_GC_HEAP_INIT_SLOTS");
		now = in_force(in, name);
		if (now == 0)
			now = SLOTS_AT_START;
		/* Nearly so, or more already: leave it. */
		if (want <= now + now / 100 || want <= now + 1000)
			continue;
		(void)snprintf(now_text, sizeof(now_text), "%" PRIu64, now);
		(void)snprintf(value, sizeof(value), "%" PRIu64, want);
		say(a, name, value,
		    "slots of %" PRIu64 " bytes: %" PRIu64
		    " in use after preload, Ruby starts with %s and collected "
		    "%" PRIu64 " times (%" PRIu64 " ms) until then",
		    in->heap[i].slot_size, live, now_text, in->preload_count,
		    in->preload_ms);
	}
}

static void
rule_malloc(struct advice *a)
{
	const struct advise *in = a->in;
	const uint64_t natural = in->by_newobj + in->by_malloc;
	const uint64_t mean =
	    in->malloc_samples == 0 ? 0 : in->malloc_sum / in->malloc_samples;
	uint64_t now = in_force(in, "RUBY_GC_MALLOC_LIMIT");
	uint64_t want;
	char value[32];

	if (now == 0)
		now = 16 * MB;
	if (in->by_malloc < 10 || in->by_malloc * 10 <= natural)
		return;
	want = mean * 8 > now * 2 ? mean * 8 : now * 2;
	want = (want + 8 * MB - 1) / (8 * MB) * (8 * MB);
	if (want < 32 * MB)
		want = 32 * MB;
	if (want > 128 * MB)
		want = 128 * MB;
	if (want <= now)
		return;
	say(a, "RUBY_GC_MALLOC_LIMIT", bytes_text(want, value, sizeof(value)),
	    "%" PRIu64 " of %" PRIu64
	    " collections in requests (%.0f %%) because of malloc; a request "
	    "takes %.1f MB on average, %.1f at most; the limit is %" PRIu64
	    " MB",
	    in->by_malloc, natural, percent(in->by_malloc, natural),
	    (double)mean / MB, (double)in->malloc_max / MB, now / MB);
	if (in_force(in, "RUBY_GC_MALLOC_LIMIT_MAX") < 2 * want)
		say(a, "RUBY_GC_MALLOC_LIMIT_MAX",
		    bytes_text(2 * want, value, sizeof(value)),
		    "the limit grows up to it, and it must not be lower");
}

static void
rule_oldmalloc(struct advice *a)
{
	const struct advise *in = a->in;
	uint64_t now = in_force(in, "RUBY_GC_OLDMALLOC_LIMIT");
	uint64_t want, max;
	char value[32];

	if (now == 0)
		now = 16 * MB;
	if (in->major_oldmalloc < 10 ||
	    in->major_oldmalloc * 100 <= in->gc_count)
		return;
	want = now * 4 > 512 * MB ? 512 * MB : now * 4;
	if (want <= now)
		return;
	max = in_force(in, "RUBY_GC_OLDMALLOC_LIMIT_MAX");
	if (max == 0)
		max = 128 * MB;
	say(a, "RUBY_GC_OLDMALLOC_LIMIT",
	    bytes_text(want, value, sizeof(value)),
	    "%" PRIu64 " major collections because of what old objects have "
	    "from malloc, of %" PRIu64 " collections; the limit is %" PRIu64
	    " MB",
	    in->major_oldmalloc, in->gc_count, now / MB);
	if (max < 2 * want)
		say(a, "RUBY_GC_OLDMALLOC_LIMIT_MAX",
		    bytes_text(2 * want, value, sizeof(value)),
		    "the limit grows up to it; it is %" PRIu64 " MB", max / MB);
}

static void
rule_shady(struct advice *a)
{
	const struct advise *in = a->in;

	if ((in->major == 3 && in->minor < 3) || in->major_shady < 10 ||
	    in->major_shady * 10 <= in->major_count ||
	    in_force(in,
		"RUBY_GC_HEAP_REMEMBERED_WB_UNPROTECTED_OBJECTS_LIMIT_RATIO"))
		return;
	say(a, "RUBY_GC_HEAP_REMEMBERED_WB_UNPROTECTED_OBJECTS_LIMIT_RATIO",
	    "0.02",
	    "%" PRIu64 " of %" PRIu64
	    " major collections (%.0f %%) because of objects without write "
	    "barriers; the ratio is 0.01",
	    in->major_shady, in->major_count,
	    percent(in->major_shady, in->major_count));
}

static void
rule_oldgen(struct advice *a)
{
	const struct advise *in = a->in;

	if (in->major_oldgen < 5 || in->major_oldgen * 50 <= in->requests ||
	    in_force(in, "RUBY_GC_HEAP_OLDOBJECT_LIMIT_FACTOR") != 0)
		return;
	say(a, "RUBY_GC_HEAP_OLDOBJECT_LIMIT_FACTOR", "3.0",
	    "%" PRIu64 " major collections in %" PRIu64
	    " requests because old objects had doubled; the price is memory",
	    in->major_oldgen, in->requests);
}

/* A heap that has once been large and is nearly empty grew in too big a step.
 */
static void
rule_growth(struct advice *a)
{
	const struct advise *in = a->in;
	uint64_t slots = 0, live = 0;
	size_t i;

	for (i = 0; i < in->heaps; i++) {
		slots += in->heap[i].slots;
		live += in->heap[i].live;
	}
	/* From 4.1 on it is named otherwise, and counts bytes. */
	if (slots < 500000 || live * 10 > slots * 4 || in->major > 4 ||
	    (in->major == 4 && in->minor >= 1) ||
	    in_force(in, "RUBY_GC_HEAP_GROWTH_MAX_SLOTS") != 0)
		return;
	say(a, "RUBY_GC_HEAP_GROWTH_FACTOR", "1.25",
	    "%.0f %% of a worker's %" PRIu64
	    " slots are free: the heap grows by 1.8 at a time",
	    percent(slots - live, slots), slots);
	say(a, "RUBY_GC_HEAP_GROWTH_MAX_SLOTS", "300000",
	    "and by no more than that");
}

/* Not a variable but a line of the file; so it stands in a comment. */
static void
rule_arenas(struct advice *a)
{
	const struct advise *in = a->in;
	size_t i;

	if (in->arenas <= 2 || in->threads < 2)
		return;
	/* Another malloc has no arenas of glibc's. */
	for (i = 0; i < in->settings; i++)
		if (strcmp(in->setting[i].name, "LD_PRELOAD") == 0)
			return;
	if (a->rc == 0)
		a->rc = buf_printf(a->out,
		    "# %" PRIu64 " arenas of malloc in a process of %" PRIu64
		    " threads, %.0f MB of malloc's private to the workers: in "
		    "the configuration file,\n"
		    "#   malloc arena_max: 2\n",
		    in->arenas, in->threads, (double)in->malloc_kb / 1024.);
}

int
advise_lines(const struct advise *in, struct buf *out)
{
	struct advice a = { .out = out, .in = in };

	rule_init_slots(&a);
	if (in->requests < ADVISE_REQUESTS_MIN) {
		if (a.rc == 0)
			a.rc = buf_printf(out,
			    "# %" PRIu64 " requests since the last fork are "
			    "too few to judge by: ask again after %d\n",
			    in->requests, ADVISE_REQUESTS_MIN);
	} else {
		rule_malloc(&a);
		rule_oldmalloc(&a);
		rule_shady(&a);
		rule_oldgen(&a);
		rule_growth(&a);
	}
	rule_arenas(&a);
	if (a.rc == 0 && a.n == 0)
		a.rc = buf_printf(out,
		    "# Ruby's own values fit, or those that are set do: "
		    "%" PRIu64 " collections, %" PRIu64 " major, %.2f ms in "
		    "them a request\n",
		    in->gc_count, in->major_count,
		    in->requests == 0
			? 0.
			: (double)in->gc_ms / (double)in->requests);
	return a.rc < 0 ? a.rc : a.n;
}
