/*
 * counsel.c - asks the workers, reads /proc, and hands the numbers to advise.c.
 */
#include "ctl/counsel.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "ctl/advise.h"
#include "ctl/ask.h"
#include "ctl/dump.h"
#include "ctl/pages.h"

static uint64_t
number(json_t *process, const char *section, const char *key)
{
	return (uint64_t)json_integer_value(
	    json_object_get(json_object_get(process, section), key));
}

static int
is_worker(json_t *process)
{
	const char *role = json_string_value(json_object_get(process, "role"));

	return role != NULL && strcmp(role, "worker") == 0;
}

/* Pages */

/* "FROM-TO,FROM-TO ..." of heap_pages0, heap_pages1 ...: how many. */
static size_t
ranges_of(json_t *process, struct page_range **give)
{
	struct page_range *at = NULL, *more;
	size_t n = 0, i;

	for (i = 0;; i++) {
		char name[32];
		const char *p;
		int used;

		(void)snprintf(name, sizeof(name), "heap_pages%zu", i);
		p = json_string_value(
		    json_object_get(json_object_get(process, name), "at"));
		if (p == NULL)
			break;
		more = realloc(at, (n + strlen(p) / 3 + 1) * sizeof(*at));
		if (more == NULL)
			break;
		at = more;
		while (sscanf(p, "%" SCNx64 "-%" SCNx64 "%n", &at[n].from,
			   &at[n].to, &used) == 2) {
			n++;
			p += used;
			if (*p++ != ',')
				break;
		}
	}
	*give = at;
	return n;
}

static struct pages *
pages_of(json_t *list)
{
	struct pages *pages = pages_open();
	size_t i;

	for (i = 0; pages != NULL && i < json_array_size(list); i++) {
		json_t *process = json_array_get(list, i);
		json_int_t pid =
		    json_integer_value(json_object_get(process, "pid"));
		struct page_range *heap = NULL;
		size_t n = ranges_of(process, &heap);
		int rc = pages_add(pages, pid, heap, n);

		free(heap);
		if (rc < 0)
			(void)fprintf(stderr,
			    "reforkctl: /proc/%lld/pagemap: %s: left out\n",
			    (long long)pid, strerror(-rc));
	}
	return pages;
}

static void
print_row(
    const char *name, uint64_t all, uint64_t some, uint64_t own, bool is_exact)
{
	(void)printf("  %-16s %10.1f ", name, (double)all / 1024.);
	if (is_exact)
		(void)printf("%10.1f ", (double)some / 1024.);
	(void)printf("%10.1f %10.1f\n", (double)own / 1024.,
	    (double)(all + some + own) / 1024.);
}

static void
print_pages(const struct pages *pages, size_t processes)
{
	static const char *const names[PAGE_KINDS] = { "Ruby's heap", "malloc",
		"stacks", "code and files", "other" };
	struct page_sums s;
	uint64_t all = 0, some = 0, own = 0;
	bool is_exact = pages_sums(pages, &s);
	size_t i;

	(void)printf("Memory of the mold and its workers, %zu processes, in "
		     "MB, each page once:\n\n",
	    processes);
	if (is_exact)
		(void)printf("  %-16s %10s %10s %10s %10s\n", "", "by all",
		    "by some", "private", "sum");
	else
		(void)printf(
		    "  %-16s %10s %10s %10s\n", "", "shared", "private", "sum");
	for (i = 0; i < PAGE_KINDS; i++) {
		print_row(names[i], s.all[i], s.some[i], s.own[i], is_exact);
		all += s.all[i];
		some += s.some[i];
		own += s.own[i];
	}
	print_row("sum", all, some, own, is_exact);
	(void)printf("\n  %s\n",
	    is_exact
		? "by all: shared by all of them; by some: by a generation or "
		  "other siblings"
		: "shared is about: only root may see which pages are the "
		  "same");
}

/* Reforking */

/*
 * Afterwards the new workers share what their donor has: of all private memory
 * one copy is left.
 */
static void
print_refork(json_t *list)
{
	uint64_t own = 0, largest = 0, requests = 0, generation = 0;
	size_t i, workers = 0;

	for (i = 0; i < json_array_size(list); i++) {
		json_t *process = json_array_get(list, i);
		uint64_t uss = number(process, "memory", "uss_kb");

		if (!is_worker(process))
			continue;
		workers++;
		own += uss;
		if (uss > largest)
			largest = uss;
		requests += number(process, "life", "requests");
		generation = (uint64_t)json_integer_value(
		    json_object_get(process, "generation"));
	}
	if (workers == 0)
		return;
	(void)printf("\nA refork now would give back up to %.0f MB: the %zu "
		     "workers of generation %" PRIu64
		     " have\n%.0f MB of their own after %" PRIu64
		     " requests each on average, %.0f MB the largest; one copy "
		     "would be\nleft, and diverge again as they work.\n",
	    (double)(own - largest) / 1024., workers, generation,
	    (double)own / 1024., requests / workers, (double)largest / 1024.);
}

/* The collector */

static void
heaps_take(struct advise *a, json_t *process)
{
	size_t i;

	for (i = 0; i < ADVISE_HEAPS; i++) {
		char heap[16], key[32];
		uint64_t slots, live;

		(void)snprintf(heap, sizeof(heap), "heap%zu", i);
		(void)snprintf(key, sizeof(key), "slot_size%zu", i);
		if (number(process, "preload", key) == 0)
			break;
		a->heap[i].slot_size = number(process, "preload", key);
		(void)snprintf(key, sizeof(key), "live%zu", i);
		a->heap[i].preload_live = number(process, "preload", key);
		if (json_object_get(process, heap) != NULL) {
			slots = number(process, heap, "heap_eden_slots");
			live =
			    number(process, heap, "total_allocated_objects") -
			    number(process, heap, "total_freed_objects");
		} else {
			slots = number(process, "gc", "heap_available_slots");
			live = number(process, "gc", "heap_live_slots");
		}
		if (slots > a->heap[i].slots) {
			a->heap[i].slots = slots;
			a->heap[i].live = live;
		}
		a->heaps = i + 1;
	}
}

static void
life_take(struct advise *a, json_t *process)
{
	uint64_t most = number(process, "life", "malloc_max");
	uint64_t threads = number(process, "ruby", "threads");

	a->workers++;
	a->requests += number(process, "life", "requests");
	a->gc_count += number(process, "life", "gc_count");
	a->major_count += number(process, "life", "major_gc_count");
	a->gc_ms += number(process, "life", "time_ms");
	a->allocated += number(process, "life", "allocated_objects");
	a->by_newobj += number(process, "life", "by_newobj");
	a->by_malloc += number(process, "life", "by_malloc");
	a->major_oldgen += number(process, "life", "major_oldgen");
	a->major_shady += number(process, "life", "major_shady");
	a->major_oldmalloc += number(process, "life", "major_oldmalloc");
	a->malloc_samples += number(process, "life", "malloc_samples");
	a->malloc_sum += number(process, "life", "malloc_sum");
	if (most > a->malloc_max)
		a->malloc_max = most;
	if (threads > a->threads)
		a->threads = threads;
	a->malloc_limit = number(process, "gc", "malloc_increase_bytes_limit");
	a->oldmalloc_limit =
	    number(process, "gc", "oldmalloc_increase_bytes_limit");
}

/* Numbers and texts alike: dump.c has made integers of some. */
static void
settings_take(struct advise *a, json_t *process, json_t *texts)
{
	const char *name;
	json_t *value, *text;

	json_object_foreach(json_object_get(process, "settings"), name, value)
	{
		char digits[32];

		if (a->settings == ADVISE_SETTINGS)
			break;
		(void)snprintf(digits, sizeof(digits), "%lld",
		    (long long)json_integer_value(value));
		text = json_string(
		    json_is_integer(value) ? digits : json_string_value(value));
		(void)json_array_append_new(texts, text);
		a->setting[a->settings].name = name;
		a->setting[a->settings++].value = json_string_value(text);
	}
}

static int
print_advice(json_t *list, const struct pages *pages)
{
	struct advise a = { 0 };
	struct page_sums sums;
	struct buf out = BUF_INIT;
	json_t *texts = json_array();
	const char *version = NULL;
	const char *text = NULL;
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		json_t *process = json_array_get(list, i);

		if (!is_worker(process))
			continue;
		version = json_string_value(json_object_get(
		    json_object_get(process, "ruby"), "version"));
		a.preload_count = number(process, "preload", "count");
		a.preload_ms = number(process, "preload", "time");
		heaps_take(&a, process);
		if (a.settings == 0)
			settings_take(&a, process, texts);
		life_take(&a, process);
	}
	(void)pages_sums(pages, &sums);
	a.arenas = pages_arenas(pages);
	a.malloc_kb = sums.own[PAGE_MALLOC];
	if (version != NULL &&
	    sscanf(version, "%d.%d", &a.major, &a.minor) == 2 &&
	    advise_lines(&a, &out) >= 0)
		text = buf_cstr(&out);
	if (text != NULL)
		(void)printf("\nRuby %s: variables for the environment of "
			     "reforkd, by %" PRIu64 " requests of %" PRIu64
			     " workers:\n\n%s",
		    version, a.requests, a.workers, text);
	buf_fini(&out);
	json_decref(texts);
	return text != NULL
		   ? EXIT_DONE
		   : command_complain(EXIT_FAILED, "no worker has answered");
}

int
counsel(const char *path)
{
	json_t *list = json_array();
	struct pages *pages = NULL;
	int rc = ask(path, "dumpstat", ASK_WORKERS_MS, dump_add, list);

	/* Who is busy for long is left out; the others are worth a look. */
	if (rc == EXIT_DONE || (rc == EXIT_FAILED && json_array_size(list) > 0))
		rc =
		    ask(path, "dumpstat pages", ASK_WORKERS_MS, dump_add, list);
	if (rc == EXIT_FAILED && json_array_size(list) > 0)
		rc = EXIT_DONE;
	if (rc == EXIT_DONE)
		pages = pages_of(list);
	if (pages != NULL) {
		print_pages(pages, json_array_size(list));
		print_refork(list);
		rc = print_advice(list, pages);
	}
	pages_close(pages);
	json_decref(list);
	return rc;
}
