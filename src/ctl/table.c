/*
 * table.c - a report for people. What an application or a client wrote (paths,
 * reasons) is printed without control characters: it goes to a terminal.
 */
#include "ctl/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctl/grid.h"

/* Values */

static const char *
text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text != NULL ? text : "";
}

static long long
number_of(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

static const char *
number_text(const json_t *object, const char *name, char out[32])
{
	const json_t *value = json_object_get(object, name);

	if (json_is_integer(value))
		(void)snprintf(out, 32, "%" JSON_INTEGER_FORMAT,
		    json_integer_value(value));
	else
		(void)snprintf(out, 32, "-");
	return out;
}

static const char *
age_text(long long ms, char out[32])
{
	long long s = ms / 1000;

	if (s < 10)
		(void)snprintf(out, 32, "%.1fs", (double)ms / 1000);
	else if (s < 120)
		(void)snprintf(out, 32, "%llds", s);
	else if (s < 7200)
		(void)snprintf(out, 32, "%lldm%02llds", s / 60, s % 60);
	else if (s < 2 * 86400)
		(void)snprintf(out, 32, "%lldh%02lldm", s / 3600, s / 60 % 60);
	else
		(void)snprintf(
		    out, 32, "%lldd%02lldh", s / 86400, s / 3600 % 24);
	return out;
}

static const char *
size_text(const json_t *object, const char *name, char out[32])
{
	const json_t *value = json_object_get(object, name);

	if (json_is_integer(value))
		(void)snprintf(
		    out, 32, "%.1fM", (double)json_integer_value(value) / 1024);
	else
		(void)snprintf(out, 32, "-");
	return out;
}

/* status */

static void
print_master(const json_t *report)
{
	const json_t *master = json_object_get(report, "master");
	const json_t *memory = json_object_get(report, "memory");
	char age[32], pss[32], uss[32];

	(void)printf("reforkd %s  pid %lld  %s  up %s  %s\n",
	    text_of(master, "version"), number_of(master, "pid"),
	    text_of(master, "phase"),
	    age_text(number_of(master, "uptime_ms"), age),
	    text_of(master, "personality"));
	(void)printf("config   %s\ncontrol  %s\n", text_of(master, "config"),
	    text_of(master, "control"));
	(void)printf(
	    "memory   %s PSS in all, %s of it private; the master %s\n",
	    size_text(memory, "pss_kb", pss), size_text(memory, "uss_kb", uss),
	    size_text(master, "pss_kb", age));
}

/* What a program elsewhere wrote goes to the terminal without its controls. */
static void
print_clean(const char *text)
{
	for (; *text != '\0'; text++)
		(void)putchar(
		    (unsigned char)*text < 0x20 || *text == 0x7f ? ' ' : *text);
}

static void
print_memory(const json_t *pool)
{
	char pss[32], budget[32];

	if (json_object_get(pool, "budget_kb") != NULL)
		(void)printf("budget   %s of %s\n",
		    size_text(pool, "pss_kb", pss),
		    size_text(pool, "budget_kb", budget));
	if (json_object_get(pool, "refork_auto") != NULL) {
		(void)printf("auto     ");
		print_clean(text_of(pool, "refork_auto"));
		(void)printf("\n");
	}
	if (json_object_get(pool, "yield_kb") != NULL)
		(void)printf(
		    "yield    generation %lld brought %s, %lld %%, for "
		    "%lld ms of CPU\n",
		    number_of(pool, "yield_generation"),
		    size_text(pool, "yield_kb", pss),
		    number_of(pool, "yield_percent"),
		    number_of(pool, "yield_cost_ms"));
}

static void
print_pool(const json_t *pool)
{
	const json_t *listeners = json_object_get(pool, "listeners");
	char age[32];
	size_t i;

	(void)printf("\npool %s  %s  generation %lld  %lld of %lld workers "
		     "serve\n",
	    text_of(pool, "name"), text_of(pool, "kind"),
	    number_of(pool, "generation"), number_of(pool, "serving"),
	    number_of(pool, "wanted"));
	if (json_object_get(pool, "key") != NULL) {
		(void)printf("key      ");
		print_clean(text_of(pool, "key"));
		(void)printf("\n");
	}
	if (json_object_get(pool, "boot_failed") != NULL) {
		(void)printf("no boot  ");
		print_clean(text_of(pool, "boot_failed"));
		(void)printf("\n");
	}
	for (i = 0; i < json_array_size(listeners); i++)
		(void)printf("listens  %s\n",
		    text_of(json_array_get(listeners, i), "address"));
	if (strcmp(text_of(pool, "refork_stage"), "NONE") != 0) {
		(void)printf("now      %s: ", text_of(pool, "refork_stage"));
		print_clean(text_of(pool, "refork_why"));
		(void)printf(
		    "%s\n", json_is_true(json_object_get(pool, "refork_queued"))
				? "; another one is queued"
				: "");
	}
	if (json_object_get(pool, "last_refork") != NULL) {
		(void)printf("last     %s ago, %s: ",
		    age_text(number_of(pool, "last_refork_ms"), age),
		    number_of(pool, "last_refork_rc") == 0 ? "done" : "failed");
		print_clean(text_of(pool, "last_refork"));
		(void)printf("\n");
	}
	print_memory(pool);
}

static void
mold_row(struct grid *t, const json_t *mold)
{
	char a[32];

	if (!grid_row(t))
		return;
	grid_cell(t, 0, "mold");
	grid_cell(t, 1, "%lld", number_of(mold, "generation"));
	grid_cell(t, 2, "%s", number_text(mold, "pid", a));
	grid_cell(t, 3, "%s", text_of(mold, "state"));
	grid_cell(t, 4, "%s", age_text(number_of(mold, "age_ms"), a));
	grid_cell(t, 5, "-");
	grid_cell(t, 6, "-");
	grid_cell(t, 7, "-");
	grid_cell(t, 8, "%s", size_text(mold, "pss_kb", a));
	grid_cell(t, 9, "%s", size_text(mold, "uss_kb", a));
	grid_cell(t, 10, "by %s", text_of(mold, "by"));
}

static void
slot_row(struct grid *t, const json_t *slot)
{
	char a[32];

	if (!grid_row(t))
		return;
	grid_cell(t, 0, "%lld", number_of(slot, "nr"));
	grid_cell(t, 1, "%s", number_text(slot, "generation", a));
	grid_cell(t, 2, "%s", number_text(slot, "pid", a));
	grid_cell(t, 3, "%s", text_of(slot, "state"));
	if (json_object_get(slot, "age_ms") == NULL)
		return;
	grid_cell(t, 4, "%s", age_text(number_of(slot, "age_ms"), a));
	grid_cell(t, 5, "%s", number_text(slot, "requests", a));
	grid_cell(t, 6, "%s", number_text(slot, "errors", a));
	grid_cell(t, 7, "%lld:%lld %lldms", number_of(slot, "gc_hits"),
	    number_of(slot, "gc_misses"),
	    number_of(slot, "gc_saved_us") / 1000);
	grid_cell(t, 8, "%s", size_text(slot, "pss_kb", a));
	grid_cell(t, 9, "%s", size_text(slot, "uss_kb", a));
	if (json_object_get(slot, "path") != NULL)
		grid_cell(t, 10, "%s %.100s %s", text_of(slot, "method"),
		    text_of(slot, "path"),
		    age_text(number_of(slot, "unit_ms"), a));
	else
		grid_cell(t, 10, "%s", text_of(slot, "work"));
}

static void
print_processes(const json_t *pool)
{
	const json_t *molds = json_object_get(pool, "molds");
	const json_t *slots = json_object_get(pool, "slots");
	const json_t *row;
	struct grid t;
	size_t i;

	if (!grid_begin(&t, "SLOT >GEN >PID STATE >AGE >REQUESTS >ERRORS >GC "
			    ">PSS >USS DOING"))
		return;
	for (i = 0; (row = json_array_get(molds, i)) != NULL; i++)
		mold_row(&t, row);
	for (i = 0; (row = json_array_get(slots, i)) != NULL; i++)
		slot_row(&t, row);
	grid_end(&t);
}

void
table_status(const json_t *report)
{
	const json_t *pools = json_object_get(report, "pools");
	const json_t *pool;
	size_t i;

	print_master(report);
	for (i = 0; (pool = json_array_get(pools, i)) != NULL; i++) {
		print_pool(pool);
		(void)printf("\n");
		print_processes(pool);
	}
}

/* deaths, pids, the list of masters */

void
table_deaths(const json_t *report)
{
	const json_t *deaths = json_object_get(report, "deaths");
	const json_t *death;
	struct grid t;
	char when[32], a[32];
	size_t i;

	if (!grid_begin(
		&t, "WHEN ROLE >SLOT >GEN >PID >AGE >REQUESTS CAUSE LAST"))
		return;
	json_array_foreach(deaths, i, death)
	{
		time_t at = (time_t)number_of(death, "at_s");
		struct tm tm;

		if (!grid_row(&t))
			return;
		if (localtime_r(&at, &tm) == NULL ||
		    strftime(when, sizeof(when), "%F %T", &tm) == 0)
			when[0] = '\0';
		grid_cell(&t, 0, "%s", when);
		grid_cell(&t, 1, "%s%s%s", text_of(death, "role"),
		    strcmp(text_of(death, "pool"), "default") ? " " : "",
		    strcmp(text_of(death, "pool"), "default")
			? text_of(death, "pool")
			: "");
		grid_cell(&t, 2, "%s", number_text(death, "slot", a));
		grid_cell(&t, 3, "%s", number_text(death, "generation", a));
		grid_cell(&t, 4, "%s", number_text(death, "pid", a));
		grid_cell(&t, 5, "%s", age_text(number_of(death, "age_ms"), a));
		grid_cell(&t, 6, "%s", number_text(death, "requests", a));
		grid_cell(&t, 7, "%s", text_of(death, "cause"));
		grid_cell(&t, 8, "%s", text_of(death, "request"));
	}
	grid_end(&t);
}

void
table_pids(const json_t *report)
{
	const json_t *process;
	size_t i;

	json_array_foreach(json_object_get(report, "processes"), i, process)
	{
		(void)printf("%lld %s", number_of(process, "pid"),
		    text_of(process, "role"));
		if (json_object_get(process, "slot") != NULL)
			(void)printf(" %lld", number_of(process, "slot"));
		(void)printf("%s%s\n",
		    json_object_get(process, "pool") != NULL ? " " : "",
		    text_of(process, "pool"));
	}
}

void
table_masters(const struct find *f)
{
	struct grid t;
	char a[32];
	size_t i;

	if (!grid_begin(&t, ">PID VERSION PHASE >UP CONTROL CONFIG"))
		return;
	for (i = 0; i < f->n; i++) {
		const struct found *found = &f->at[i];

		if (!grid_row(&t))
			return;
		grid_cell(&t, 0, "%lld", (long long)found->pid);
		grid_cell(&t, 1, "%s", found->version);
		grid_cell(&t, 2, "%s", found->phase);
		grid_cell(
		    &t, 3, "%s", age_text((long long)found->uptime_ms, a));
		grid_cell(&t, 4, "%s", found->path);
		grid_cell(&t, 5, "%s", found->config);
	}
	grid_end(&t);
}
