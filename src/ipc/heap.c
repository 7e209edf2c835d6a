/*
 * heap.c - RUBY_GC_*. A Ruby that does not know a name reads none of it.
 */
#include "ipc/heap.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <reforkd/settings.h>

#include "base/environ.h"

#define PREFIX "RUBY_GC_"

/* A limit above its maximum would be none: the two are set together or not. */
static const struct {
	const char *name, *value, *max, *max_value;
} limits[] = {
	{ "RUBY_GC_MALLOC_LIMIT", "33554432", "RUBY_GC_MALLOC_LIMIT_MAX",
	    "50331648" },
};

#define LIMITS (sizeof(limits) / sizeof(limits[0]))

/* One of the file's own: the directive gc has made "NAME=VALUE ..." of them. */
struct variable {
	char name[80], value[64];
};

static bool
next_variable(const char **rest, struct variable *v)
{
	int n = 0;

	if (sscanf(*rest, " %79[^= ]=%63[^ ]%n", v->name, v->value, &n) != 2)
		return false;
	*rest += n;
	return true;
}

static bool
is_named(const struct rfk_settings_table *s, const char *name)
{
	const char *rest = s->gc;
	struct variable v;

	while (next_variable(&rest, &v))
		if (strcmp(v.name, name) == 0)
			return true;
	return false;
}

/* Others collect when Ruby would: theirs are its own limits. */
static bool
is_wanted(const struct rfk_settings_table *s, size_t i)
{
	return s->oob_gc != 0 && strcmp(s->oob_gc_rule, "room") == 0 &&
	       !is_named(s, limits[i].name) && !is_named(s, limits[i].max) &&
	       getenv(limits[i].name) == NULL && getenv(limits[i].max) == NULL;
}

static bool
is_limit(const struct rfk_settings_table *s, const char *name)
{
	size_t i;

	for (i = 0; i < LIMITS; i++)
		if (is_wanted(s, i) && (strcmp(limits[i].name, name) == 0 ||
					   strcmp(limits[i].max, name) == 0))
			return true;
	return false;
}

/* Ours first: they ask what the user has, not what the file has put. */
int
heap_put(const struct rfk_settings_table *s)
{
	const char *rest = s->gc;
	struct variable v;
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && i < LIMITS; i++) {
		if (!is_wanted(s, i))
			continue;
		rc = environ_put(limits[i].name, limits[i].value);
		if (rc == 0)
			rc = environ_put(limits[i].max, limits[i].max_value);
	}
	while (rc == 0 && next_variable(&rest, &v))
		rc = environ_put(v.name, v.value);
	return rc;
}

static bool
was_put(const char *name, const char *value)
{
	const char *was = environ_was_put(name);

	return was != NULL && strcmp(was, value) == 0;
}

bool
heap_differs(const struct rfk_settings_table *s)
{
	const char *rest = s->gc, *name, *value;
	struct variable v;
	size_t i;

	while (next_variable(&rest, &v))
		if (!was_put(v.name, v.value))
			return true;
	for (i = 0; i < LIMITS; i++)
		if (is_wanted(s, i) &&
		    !was_put(limits[i].name, limits[i].value))
			return true;
	/* And nothing besides. */
	for (i = 0; (name = environ_put_at(i, &value)) != NULL; i++)
		if (strncmp(name, PREFIX, sizeof(PREFIX) - 1) == 0 &&
		    !is_named(s, name) && !is_limit(s, name))
			return true;
	return false;
}

void
heap_forget(void)
{
	const char *name, *value;
	size_t i = 0;

	while ((name = environ_put_at(i, &value)) != NULL)
		if (strncmp(name, PREFIX, sizeof(PREFIX) - 1) == 0)
			environ_forget(name);
		else
			i++;
}
