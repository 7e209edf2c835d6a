/*
 * heap.c - RUBY_GC_*. A Ruby that does not know a name reads none of it.
 */
#include "ipc/heap.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <reforkd/settings.h>

#include "base/environ.h"

/* A limit above its maximum would be none: the two are set together or not. */
static const struct {
	const char *name, *value, *max, *max_value;
} limits[] = {
	{ "RUBY_GC_MALLOC_LIMIT", "33554432", "RUBY_GC_MALLOC_LIMIT_MAX",
	    "50331648" },
};

#define LIMITS (sizeof(limits) / sizeof(limits[0]))

/* Others collect when Ruby would: theirs are its own limits. */
static bool
is_wanted(const struct rfk_settings_table *s, size_t i)
{
	return s->oob_gc != 0 && strcmp(s->oob_gc_rule, "room") == 0 &&
	       getenv(limits[i].name) == NULL && getenv(limits[i].max) == NULL;
}

int
heap_put(const struct rfk_settings_table *s)
{
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && i < LIMITS; i++) {
		if (!is_wanted(s, i))
			continue;
		rc = environ_put(limits[i].name, limits[i].value);
		if (rc == 0)
			rc = environ_put(limits[i].max, limits[i].max_value);
	}
	return rc;
}

bool
heap_differs(const struct rfk_settings_table *s)
{
	size_t i;

	for (i = 0; i < LIMITS; i++)
		if (is_wanted(s, i) !=
		    (environ_was_put(limits[i].name) != NULL))
			return true;
	return false;
}

void
heap_forget(void)
{
	size_t i;

	for (i = 0; i < LIMITS; i++) {
		environ_forget(limits[i].name);
		environ_forget(limits[i].max);
	}
}
