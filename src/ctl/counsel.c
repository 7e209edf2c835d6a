/*
 * counsel.c - asks the master and the workers, reads /proc, and prints what is
 * found and what advise.c says of it.
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
#include "ctl/gather.h"
#include "ctl/pages.h"
#include "ctl/report.h"

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
struct gain {
	uint64_t workers, requests, generation, own, largest; /* kB */
};

static struct gain
gain_of(json_t *list)
{
	struct gain gain = { 0 };
	json_t *process;
	size_t i;

	json_array_foreach(list, i, process)
	{
		uint64_t uss = gather_number(process, "memory", "uss_kb");

		if (!gather_is_worker(process))
			continue;
		gain.workers++;
		gain.own += uss;
		if (uss > gain.largest)
			gain.largest = uss;
		gain.requests += gather_number(process, "life", "requests");
		gain.generation = (uint64_t)json_integer_value(
		    json_object_get(process, "generation"));
	}
	return gain;
}

static void
print_refork(const struct gain *gain)
{
	if (gain->workers == 0)
		return;
	(void)printf(
	    "\nA refork now would give back up to %.0f MB: the %" PRIu64
	    " workers of generation %" PRIu64
	    " have\n%.0f MB of their own after %" PRIu64
	    " requests each on average, %.0f MB the largest; one copy "
	    "would be\nleft, and diverge again as they work.\n",
	    (double)(gain->own - gain->largest) / 1024., gain->workers,
	    gain->generation, (double)gain->own / 1024.,
	    gain->requests / gain->workers, (double)gain->largest / 1024.);
}

static int
print_advice(const struct gather *g)
{
	struct buf out = BUF_INIT;
	const char *text = NULL;

	if (advise_lines(&g->numbers, &out) >= 0)
		text = buf_cstr(&out);
	if (text != NULL)
		(void)printf("\nRuby %s: variables for the environment of "
			     "reforkd, by %" PRIu64 " requests of %" PRIu64
			     " workers:\n\n%s",
		    g->version, g->numbers.requests, g->numbers.workers, text);
	buf_fini(&out);
	return text != NULL ? EXIT_DONE
			    : command_complain(EXIT_FAILED, "no memory");
}

/* Programs */

static int
item_add(void *list, const struct advise_item *item)
{
	json_t *said = json_pack("{s:s, s:s*, s:s*, s:s}", "rule", item->rule,
	    "name", item->name, item->name != NULL ? "value" : "directive",
	    item->value, "why", item->why);

	return json_array_append_new(list, said) < 0 ? -ENOMEM : 0;
}

static json_t *
pages_json(const struct pages *pages)
{
	static const char *const names[PAGE_KINDS] = { "heap", "malloc",
		"stacks", "code", "other" };
	struct page_sums s;
	bool is_exact = pages_sums(pages, &s);
	json_t *all = json_object();
	size_t i;

	for (i = 0; i < PAGE_KINDS; i++) {
		json_t *kind = json_pack("{s:I, s:I}", "all_kb",
		    (json_int_t)s.all[i], "private_kb", (json_int_t)s.own[i]);

		if (is_exact)
			(void)json_object_set_new(kind, "some_kb",
			    json_integer((json_int_t)s.some[i]));
		(void)json_object_set_new(all, names[i], kind);
	}
	return all;
}

static int
print_json(
    const struct gather *g, const struct pages *pages, const struct gain *gain)
{
	json_t *list = json_array();
	json_t *all = json_pack("{s:s, s:I, s:I, s:o, s:{s:I, s:I, s:I}, s:o}",
	    "ruby", g->version, "requests", (json_int_t)g->numbers.requests,
	    "workers", (json_int_t)g->numbers.workers, "memory",
	    pages_json(pages), "refork", "private_kb", (json_int_t)gain->own,
	    "largest_kb", (json_int_t)gain->largest, "gain_kb",
	    (json_int_t)(gain->own - gain->largest), "advice", list);

	if (all == NULL || advise(&g->numbers, item_add, list) < 0) {
		json_decref(all);
		return command_complain(EXIT_FAILED, "no memory");
	}
	(void)json_dumpf(all, stdout, JSON_INDENT(2));
	(void)printf("\n");
	json_decref(all);
	return EXIT_DONE;
}

static void
status_add(void *report, const struct record *record)
{
	report_add(report, record);
}

/* "dumpstat POOL": the pool's alone, and "default" where none is named. */
static int
workers_ask(const char *path, const char *pool, json_t *list)
{
	char request[160];
	int rc;

	(void)snprintf(request, sizeof(request), "dumpstat %s", pool);
	rc = ask(path, request, ASK_WORKERS_MS, dump_add, list);
	/* Who is busy for long is left out; the others are worth a look. */
	if (rc == EXIT_DONE ||
	    (rc == EXIT_FAILED && json_array_size(list) > 0)) {
		(void)snprintf(
		    request, sizeof(request), "dumpstat %s pages", pool);
		rc = ask(path, request, ASK_WORKERS_MS, dump_add, list);
	}
	return rc == EXIT_FAILED && json_array_size(list) > 0 ? EXIT_DONE : rc;
}

static int
advice_print(const struct command *command, json_t *list, json_t *status,
    const char *pool)
{
	struct pages *pages = pages_of(list);
	struct page_sums sums;
	struct gather g;
	struct gain gain;
	int rc = EXIT_FAILED;

	if (pages == NULL)
		return command_complain(EXIT_FAILED, "no memory");
	gather(&g, list, status, pool);
	(void)pages_sums(pages, &sums);
	g.numbers.arenas = pages_arenas(pages);
	g.numbers.malloc_kb = sums.own[PAGE_MALLOC];
	gain = gain_of(list);
	if (g.version == NULL) {
		(void)command_complain(EXIT_FAILED, "no worker has answered");
	} else if (command->json) {
		rc = print_json(&g, pages, &gain);
	} else {
		print_pages(pages, json_array_size(list));
		print_refork(&gain);
		rc = print_advice(&g);
	}
	gather_fini(&g);
	pages_close(pages);
	return rc;
}

int
counsel(const struct command *command, const char *path)
{
	const char *pool = strchr(command->request, ' ');
	json_t *list = json_array();
	json_t *status = report_new();
	int rc;

	pool = pool != NULL ? pool + 1 : "default";
	rc = ask(path, "status", ASK_SOON_MS, status_add, status);
	if (rc == EXIT_DONE)
		rc = workers_ask(path, pool, list);
	if (rc == EXIT_DONE)
		rc = advice_print(command, list, status, pool);
	json_decref(status);
	json_decref(list);
	return rc;
}
