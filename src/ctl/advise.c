/*
 * advise.c - the rules on variables. Each knows which Ruby reads its variable,
 * and when its numbers mean something; none speaks without a measurement.
 */
#include "ctl/advice.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MB ((uint64_t)1 << 20)
/* A batch that has been so large is given room. */
#define BATCH_RSS_KB (2u << 20)
#define BATCH_LIMIT (512 * MB)

uint64_t
advice_in_force(const struct advise *a, const char *name)
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

void
advice_say(struct advice *a, const char *rule, const char *name,
    const char *value, const char *fmt, ...)
{
	struct advise_item item = { .rule = rule, .name = name };
	char why[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	item.value = value;
	item.why = why;
	if (a->rc == 0)
		a->rc = a->each(a->arg, &item);
	if (name != NULL || value != NULL)
		a->n++;
}

static const char *
bytes_text(uint64_t bytes, char *out, size_t cap)
{
	(void)snprintf(out, cap, "%" PRIu64 "M", bytes / MB);
	return out;
}

double
advice_percent(uint64_t part, uint64_t whole)
{
	return whole == 0 ? 0. : 100. * (double)part / (double)whole;
}

static void
rule_malloc(struct advice *a)
{
	const struct advise *in = a->in;
	const uint64_t natural = in->by_newobj + in->by_malloc;
	const uint64_t mean =
	    in->malloc_samples == 0 ? 0 : in->malloc_sum / in->malloc_samples;
	uint64_t now = advice_in_force(in, "RUBY_GC_MALLOC_LIMIT");
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
	advice_say(a, "malloc", "RUBY_GC_MALLOC_LIMIT",
	    bytes_text(want, value, sizeof(value)),
	    "%" PRIu64 " of %" PRIu64
	    " collections in requests (%.0f %%) because of malloc; a request "
	    "takes %.1f MB on average, %.1f at most; the limit is %" PRIu64
	    " MB",
	    in->by_malloc, natural, advice_percent(in->by_malloc, natural),
	    (double)mean / MB, (double)in->malloc_max / MB, now / MB);
	if (advice_in_force(in, "RUBY_GC_MALLOC_LIMIT_MAX") < 2 * want)
		advice_say(a, "malloc", "RUBY_GC_MALLOC_LIMIT_MAX",
		    bytes_text(2 * want, value, sizeof(value)),
		    "the limit grows up to it, and it must not be lower");
}

static void
rule_oldmalloc(struct advice *a)
{
	const struct advise *in = a->in;
	uint64_t now = advice_in_force(in, "RUBY_GC_OLDMALLOC_LIMIT");
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
	max = advice_in_force(in, "RUBY_GC_OLDMALLOC_LIMIT_MAX");
	if (max == 0)
		max = 128 * MB;
	advice_say(a, "oldmalloc", "RUBY_GC_OLDMALLOC_LIMIT",
	    bytes_text(want, value, sizeof(value)),
	    "%" PRIu64 " major collections because of what old objects have "
	    "from malloc, of %" PRIu64 " collections; the limit is %" PRIu64
	    " MB",
	    in->major_oldmalloc, in->gc_count, now / MB);
	if (max < 2 * want)
		advice_say(a, "oldmalloc", "RUBY_GC_OLDMALLOC_LIMIT_MAX",
		    bytes_text(2 * want, value, sizeof(value)),
		    "the limit grows up to it; it is %" PRIu64 " MB", max / MB);
}

static void
rule_shady(struct advice *a)
{
	const struct advise *in = a->in;

	if ((in->major == 3 && in->minor < 3) || in->major_shady < 10 ||
	    in->major_shady * 10 <= in->major_count ||
	    advice_in_force(in,
		"RUBY_GC_HEAP_REMEMBERED_WB_UNPROTECTED_OBJECTS_LIMIT_RATIO"))
		return;
	advice_say(a, "wb_unprotected",
	    "RUBY_GC_HEAP_REMEMBERED_WB_UNPROTECTED_OBJECTS_LIMIT_RATIO",
	    "0.02",
	    "%" PRIu64 " of %" PRIu64
	    " major collections (%.0f %%) because of objects without write "
	    "barriers; the ratio is 0.01",
	    in->major_shady, in->major_count,
	    advice_percent(in->major_shady, in->major_count));
}

static void
rule_oldgen(struct advice *a)
{
	const struct advise *in = a->in;

	if (in->major_oldgen < 5 || in->major_oldgen * 50 <= in->requests ||
	    advice_in_force(in, "RUBY_GC_HEAP_OLDOBJECT_LIMIT_FACTOR") != 0)
		return;
	advice_say(a, "oldgen", "RUBY_GC_HEAP_OLDOBJECT_LIMIT_FACTOR", "3.0",
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
	    advice_in_force(in, "RUBY_GC_HEAP_GROWTH_MAX_SLOTS") != 0)
		return;
	advice_say(a, "growth", "RUBY_GC_HEAP_GROWTH_FACTOR", "1.25",
	    "%.0f %% of a worker's %" PRIu64
	    " slots are free: the heap grows by 1.8 at a time",
	    advice_percent(slots - live, slots), slots);
	advice_say(a, "growth", "RUBY_GC_HEAP_GROWTH_MAX_SLOTS", "300000",
	    "and by no more than that");
}

/* It ends, and what it holds ends with it. */
static void
rule_batch(struct advice *a)
{
	static const char *const names[] = { "RUBY_GC_MALLOC_LIMIT",
		"RUBY_GC_MALLOC_LIMIT_MAX", "RUBY_GC_OLDMALLOC_LIMIT",
		"RUBY_GC_OLDMALLOC_LIMIT_MAX" };
	const struct advise *in = a->in;
	char value[32];
	size_t i;

	if (in->rss_peak_kb <= BATCH_RSS_KB)
		return;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (advice_in_force(in, names[i]) < BATCH_LIMIT)
			advice_say(a, "batch", names[i],
			    bytes_text(BATCH_LIMIT, value, sizeof(value)),
			    "a batch that has had %.1f GB of RSS allocates "
			    "more than limits for requests foresee",
			    (double)in->rss_peak_kb / 1024. / 1024.);
}

static void
rules_of_requests(struct advice *a)
{
	if (a->in->requests < ADVISE_REQUESTS_MIN) {
		advice_say(a, "requests", NULL, NULL,
		    "%" PRIu64 " requests since the last fork are too few to "
		    "judge by: ask again after %d",
		    a->in->requests, ADVISE_REQUESTS_MIN);
		return;
	}
	rule_malloc(a);
	rule_oldmalloc(a);
	rule_shady(a);
	rule_oldgen(a);
	rule_growth(a);
}

int
advise(const struct advise *in, advise_each *each, void *arg)
{
	struct advice a = { .in = in, .each = each, .arg = arg };

	advice_slots(&a);
	if (in->is_batch)
		rule_batch(&a);
	else
		rules_of_requests(&a);
	advice_directives(&a);
	if (a.n == 0)
		advice_say(&a, "none", NULL, NULL,
		    "Ruby's own values fit, or those that are set do: %" PRIu64
		    " collections, %" PRIu64 " major, %.2f ms in them a "
		    "request",
		    in->gc_count, in->major_count,
		    in->requests == 0
			? 0.
			: (double)in->gc_ms / (double)in->requests);
	return a.rc < 0 ? a.rc : a.n;
}

/* A directive stands in a comment: what follows is for an environment. */
static int
line_put(void *arg, const struct advise_item *item)
{
	struct buf *out = arg;

	if (item->name != NULL)
		return buf_printf(
		    out, "# %s\n%s=%s\n", item->why, item->name, item->value);
	if (item->value != NULL)
		return buf_printf(out,
		    "# %s: in the configuration file,\n#   %s\n", item->why,
		    item->value);
	return buf_printf(out, "# %s\n", item->why);
}

int
advise_lines(const struct advise *in, struct buf *out)
{
	return advise(in, line_put, out);
}
