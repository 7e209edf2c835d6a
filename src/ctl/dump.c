/*
 * dump.c - statistics and logs of collections, for people and programs.
 */
#include "ctl/dump.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctl/ask.h"

/* They say of whom a record is; the rest is what it says. */
static const char *const identity[] = { "role", "slot", "pid", "generation" };

#define IDENTITY (sizeof(identity) / sizeof(identity[0]))

static json_t *
value_of(const char *text)
{
	char *end;
	long long n = strtoll(text, &end, 10);

	if (end != text && *end == '\0')
		return json_integer(n);
	return json_string(text);
}

static int
is_identity(const char *name)
{
	size_t i;

	for (i = 0; i < IDENTITY; i++)
		if (strcmp(identity[i], name) == 0)
			return 1;
	return 0;
}

static json_t *
process_of(json_t *list, const struct record *record)
{
	const char *pid = record_get(record, "pid");
	json_t *process;
	size_t i;

	for (i = 0; pid != NULL && i < json_array_size(list); i++) {
		process = json_array_get(list, i);
		if (json_integer_value(json_object_get(process, "pid")) ==
		    strtoll(pid, NULL, 10))
			return process;
	}
	process = json_object();
	for (i = 0; i < IDENTITY; i++) {
		const char *value = record_get(record, identity[i]);

		if (value != NULL)
			(void)json_object_set_new(
			    process, identity[i], value_of(value));
	}
	(void)json_array_append_new(list, process);
	return process;
}

void
dump_add(void *list, const struct record *record)
{
	json_t *process = process_of(list, record);
	json_t *section = json_object();
	size_t i;

	for (i = 0; i < record->n; i++)
		if (!is_identity(record->field[i].name))
			(void)json_object_set_new(section,
			    record->field[i].name,
			    value_of(record->field[i].value));
	(void)json_object_set_new(process, record->kind, section);
}

/* Worker 0 first, the mold last. */
static int
compare(const void *a, const void *b)
{
	json_t *one = json_object_get(*(json_t *const *)a, "slot");
	json_t *other = json_object_get(*(json_t *const *)b, "slot");
	json_int_t x = one != NULL ? json_integer_value(one) : INT32_MAX;
	json_int_t y = other != NULL ? json_integer_value(other) : INT32_MAX;

	return (x > y) - (x < y);
}

/* A new list of the same processes; the caller drops it. */
static json_t *
sorted(json_t *list)
{
	size_t i, n = json_array_size(list);
	json_t **all = calloc(n + 1, sizeof(json_t *));
	json_t *out = json_array();

	for (i = 0; all != NULL && i < n; i++)
		all[i] = json_array_get(list, i);
	if (all != NULL)
		qsort(all, n, sizeof(json_t *), compare);
	for (i = 0; all != NULL && i < n; i++)
		(void)json_array_append(out, all[i]);
	free(all);
	return out;
}

/* For people */

static void
print_value(const char *section, const char *key, json_t *value)
{
	char name[160];

	(void)snprintf(name, sizeof(name), "%s.%s", section, key);
	if (json_is_integer(value))
		(void)printf("  %-48s %14lld\n", name,
		    (long long)json_integer_value(value));
	else
		(void)printf("  %-48s %14s\n", name, json_string_value(value));
}

static void
print_process(json_t *process)
{
	json_t *slot = json_object_get(process, "slot");
	const char *name, *key;
	json_t *section, *value;

	(void)printf("%s", json_string_value(json_object_get(process, "role")));
	if (slot != NULL)
		(void)printf(" %lld", (long long)json_integer_value(slot));
	(void)printf(" generation %lld pid %lld\n",
	    (long long)json_integer_value(
		json_object_get(process, "generation")),
	    (long long)json_integer_value(json_object_get(process, "pid")));
	json_object_foreach(process, name, section)
	{
		json_object_foreach(section, key, value)
		    print_value(name, key, value);
	}
}

/* For programs */

static void
put_column(json_t *columns, const char *section, const char *key)
{
	char name[160];

	(void)snprintf(name, sizeof(name), "%s.%s", section, key);
	(void)json_object_set_new(columns, name, json_null());
}

/* The first dump decides on the columns: every field that any process has. */
static void
columns_make(json_t *columns, json_t *list)
{
	const char *section, *key;
	json_t *process, *fields, *value;
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		process = json_array_get(list, i);
		json_object_foreach(process, section, fields)
		{
			json_object_foreach(fields, key, value)
			    put_column(columns, section, key);
		}
	}
	(void)printf("time");
	for (i = 0; i < IDENTITY; i++)
		(void)printf(",%s", identity[i]);
	json_object_foreach(columns, key, value)(void) printf(",%s", key);
	(void)printf("\n");
}

static void
print_cell(json_t *value)
{
	if (json_is_integer(value))
		(void)printf(",%lld", (long long)json_integer_value(value));
	else
		(void)printf(",%s",
		    json_is_string(value) ? json_string_value(value) : "");
}

static void
print_row(json_t *columns, json_t *process, double now_s)
{
	const char *name;
	json_t *unused;
	size_t i;

	(void)printf("%.3f", now_s);
	for (i = 0; i < IDENTITY; i++)
		print_cell(json_object_get(process, identity[i]));
	json_object_foreach(columns, name, unused)
	{
		const char *dot = strchr(name, '.');
		char section[160];

		(void)snprintf(
		    section, sizeof(section), "%.*s", (int)(dot - name), name);
		print_cell(json_object_get(
		    json_object_get(process, section), dot + 1));
	}
	(void)printf("\n");
}

static double
wall_s(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void
print(const struct command *command, json_t *columns, json_t *list)
{
	json_t *ordered = sorted(list);
	size_t i;

	if (command->json) {
		(void)json_dumpf(ordered, stdout,
		    command->every_s > 0 ? JSON_COMPACT : JSON_INDENT(2));
		(void)printf("\n");
	} else if (command->csv && json_array_size(ordered) > 0 &&
		   json_object_size(columns) == 0) {
		columns_make(columns, ordered);
	}
	for (i = 0; !command->json && i < json_array_size(ordered); i++) {
		if (command->csv)
			print_row(
			    columns, json_array_get(ordered, i), wall_s());
		else
			print_process(json_array_get(ordered, i));
	}
	(void)fflush(stdout);
	json_decref(ordered);
}

/* With --every until it is interrupted, or the master has gone. */
int
dump_stat(const struct command *command, const char *path)
{
	struct timespec next;
	json_t *columns = json_object();
	double s;
	int rc;

	(void)clock_gettime(CLOCK_MONOTONIC, &next);
	for (;;) {
		json_t *list = json_array();

		rc =
		    ask(path, command->request, ASK_WORKERS_MS, dump_add, list);
		if (rc == EXIT_DONE || rc == EXIT_FAILED)
			print(command, columns, list);
		json_decref(list);
		if (command->every_s <= 0 ||
		    (rc != EXIT_DONE && rc != EXIT_FAILED) || ferror(stdout))
			break;
		s = (double)next.tv_nsec / 1e9 + command->every_s;
		next.tv_sec += (time_t)s;
		next.tv_nsec = (long)((s - floor(s)) * 1e9);
		(void)clock_nanosleep(
		    CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
	}
	json_decref(columns);
	return rc;
}

/* One header, whoever sends the first. */
static void
gclog_line(void *has_head, const struct record *record)
{
	const char *row = record_get(record, "row");
	bool *head = has_head;
	size_t i;

	if (row == NULL)
		return;
	if (strcmp(record->kind, "gclog_head") == 0) {
		if (!*head)
			(void)printf("slot,pid,generation,%s\n", row);
		*head = true;
		return;
	}
	for (i = 1; i < IDENTITY; i++) {
		const char *value = record_get(record, identity[i]);

		(void)printf("%s,", value != NULL ? value : "");
	}
	(void)printf("%s\n", row);
}

int
dump_gclog(const struct command *command, const char *path)
{
	bool has_head = false;

	return ask(
	    path, command->request, ASK_WORKERS_MS, gclog_line, &has_head);
}
