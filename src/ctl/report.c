/*
 * report.c - records as JSON.
 */
#include "ctl/report.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/procmem.h"

/* Where each kind goes: "pools" of the report, or a list of the last pool. */
static const struct {
	const char *kind;
	const char *list;
	bool of_pool;
} places[] = {
	{ "pool", "pools", false },
	{ "death", "deaths", false },
	{ "pid", "processes", false },
	{ "listener", "listeners", true },
	{ "mold", "molds", true },
	{ "slot", "slots", true },
};

static const char *const numbers[] = { "pid", "generation", "wanted", "serving",
	"mold_pid", "last_refork_rc", "nr", "row", "requests", "inherited",
	"errors", "kept", "faults", "deaths", "at_s", "slot", "protocol",
	"yield_generation", "yield_percent" };

static bool
is_number(const char *name)
{
	size_t i, len = strlen(name);

	if (len > 3 && (strcmp(name + len - 3, "_ms") == 0 ||
			   strcmp(name + len - 3, "_us") == 0 ||
			   strcmp(name + len - 3, "_kb") == 0))
		return true;
	if (strncmp(name, "gc_", 3) == 0)
		return true;
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (strcmp(name, numbers[i]) == 0)
			return true;
	return false;
}

/* A path may hold any byte; JSON holds UTF-8 alone. */
static json_t *
ascii_of(const char *value)
{
	char text[4096], *p;

	(void)snprintf(text, sizeof(text), "%s", value);
	for (p = text; *p != '\0'; p++)
		if ((unsigned char)*p >= 0x80)
			*p = '?';
	return json_string(text);
}

static json_t *
value_of(const char *name, const char *value)
{
	char *end;
	long long n;
	json_t *json;

	if (strcmp(name, "refork_queued") == 0)
		return json_boolean(strcmp(value, "0") != 0);
	if (is_number(name)) {
		n = strtoll(value, &end, 10);
		return end == value || *end != '\0' ? json_null()
						    : json_integer(n);
	}
	json = json_string(value);
	return json != NULL ? json : ascii_of(value);
}

static json_t *
object_of(const struct record *record)
{
	json_t *object = json_object();
	size_t i;

	for (i = 0; i < record->n; i++)
		(void)json_object_set_new(object, record->field[i].name,
		    value_of(record->field[i].name, record->field[i].value));
	return object;
}

json_t *
report_new(void)
{
	return json_object();
}

static void
list_add(json_t *parent, const char *list, json_t *take_object)
{
	json_t *array = json_object_get(parent, list);

	if (array == NULL) {
		array = json_array();
		(void)json_object_set_new(parent, list, array);
	}
	(void)json_array_append_new(array, take_object);
}

static void
pool_begin(json_t *pool)
{
	(void)json_object_set_new(pool, "listeners", json_array());
	(void)json_object_set_new(pool, "molds", json_array());
	(void)json_object_set_new(pool, "slots", json_array());
}

void
report_add(json_t *report, const struct record *record)
{
	json_t *pools = json_object_get(report, "pools");
	json_t *pool = json_array_get(pools, json_array_size(pools) - 1);
	json_t *object;
	size_t i;

	if (strcmp(record->kind, "master") == 0 ||
	    strcmp(record->kind, "version") == 0) {
		(void)json_object_set_new(
		    report, record->kind, object_of(record));
		return;
	}
	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (strcmp(record->kind, places[i].kind) != 0 ||
		    (places[i].of_pool && pool == NULL))
			continue;
		object = object_of(record);
		if (strcmp(record->kind, "pool") == 0)
			pool_begin(object);
		list_add(
		    places[i].of_pool ? pool : report, places[i].list, object);
	}
}

/* A process that may not be looked at, or has gone, has null. */
static void
measure(json_t *process, struct procmem *sum)
{
	json_int_t pid = json_integer_value(json_object_get(process, "pid"));
	struct procmem memory;
	bool known = pid > 0 && procmem_read(pid, &memory) == 0;

	if (known) {
		sum->rss_kb += memory.rss_kb;
		sum->pss_kb += memory.pss_kb;
		sum->uss_kb += memory.uss_kb;
	}
	(void)json_object_set_new(process, "rss_kb",
	    known ? json_integer((json_int_t)memory.rss_kb) : json_null());
	(void)json_object_set_new(process, "pss_kb",
	    known ? json_integer((json_int_t)memory.pss_kb) : json_null());
	(void)json_object_set_new(process, "uss_kb",
	    known ? json_integer((json_int_t)memory.uss_kb) : json_null());
}

static void
measure_all(json_t *processes, struct procmem *sum)
{
	json_t *process;
	size_t i;

	for (i = 0; (process = json_array_get(processes, i)) != NULL; i++)
		measure(process, sum);
}

void
report_measure(json_t *report)
{
	struct procmem sum = { 0 };
	json_t *pools = json_object_get(report, "pools");
	json_t *total, *pool;
	size_t i;

	measure(json_object_get(report, "master"), &sum);
	for (i = 0; (pool = json_array_get(pools, i)) != NULL; i++) {
		measure_all(json_object_get(pool, "molds"), &sum);
		measure_all(json_object_get(pool, "slots"), &sum);
	}
	total = json_object();
	(void)json_object_set_new(
	    total, "pss_kb", json_integer((json_int_t)sum.pss_kb));
	(void)json_object_set_new(
	    total, "uss_kb", json_integer((json_int_t)sum.uss_kb));
	(void)json_object_set_new(report, "memory", total);
}
