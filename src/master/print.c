/*
 * The effective settings, a line each, in settings.def's order; durations in
 * the DSL's unit, seconds.
 */
#include "master/print.h"

#include <inttypes.h>
#include <stdio.h>

#include <reforkd/settings.h>

#include "master/options.h"

static void
print_COUNT(const char *name, int64_t v)
{
	printf("%s %" PRId64 "\n", name, v);
}

static void
print_SIZE(const char *name, int64_t v)
{
	print_COUNT(name, v);
}

static void
print_MS(const char *name, int64_t v)
{
	printf("%s %g\n", name, (double)v / 1e3);
}

static void
print_FLAG(const char *name, int64_t v)
{
	printf("%s %s\n", name, v ? "true" : "false");
}

static void
print_TEXT(const char *name, const char *v)
{
	if (v != NULL && v[0] != '\0')
		printf("%s \"%s\"\n", name, v);
}

void
print_settings(const struct rfk_settings_table *s)
{
	static const char *const personalities[] = { "native", "unicorn",
		"pitchfork" };
	size_t i;

	printf("personality :%s\n", personalities[s->personality]);
#define SETTING(name, kind, fallback, min, max) print_##kind(#name, s->name);
#include <reforkd/settings.def>
#undef SETTING
	for (i = 0; i < s->listens; i++)
		printf("listen \"%s\", backlog: %d\n", s->listen[i].address,
		    s->listen[i].backlog);
	printf("refork_after [");
	for (i = 0; i < s->refork_afters; i++)
		if (s->refork_after[i] == 0)
			printf("%sfalse", i ? ", " : "");
		else
			printf("%s%" PRId64, i ? ", " : "", s->refork_after[i]);
	printf("]\n");
}

void
print_error(const struct options *o, const char *text)
{
	fprintf(stderr, "%s: %s\n", o->program, text);
}
