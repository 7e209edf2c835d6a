/*
 * The effective settings as a file of reforkd's own would say them, in
 * settings.def's order, each with where it was set. What is printed can be
 * read again: t/e2e/config_check.t does.
 */
#include "master/print.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <reforkd/settings.h>

#include "master/options.h"
#include "master/spell.h"

#define COMMENT_AT 40

static const char *const personalities[] = { "native", "unicorn", "pitchfork" };

void
print_put(const char *comment, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vprintf(fmt, ap);
	va_end(ap);
	printf("%*s # %s\n", n < COMMENT_AT ? COMMENT_AT - n : 0, "", comment);
}

/* FILE:LINE, or whose default it is. */
const char *
print_origin(
    const struct rfk_settings_table *s, enum rfk_setting which, bool is_default)
{
	static char text[64];
	const char *place = settings_place(s, which);

	if (place[0] != '\0')
		return place;
	if (is_default)
		return "default";
	snprintf(
	    text, sizeof(text), "default of %s", personalities[s->personality]);
	return text;
}

static void
put_COUNT(const struct rfk_settings_table *s, enum rfk_setting which, int64_t v,
    int64_t fallback)
{
	print_put(print_origin(s, which, v == fallback), "%s %" PRId64,
	    settings_name(which), v);
}

static void
put_SIZE(const struct rfk_settings_table *s, enum rfk_setting which, int64_t v,
    int64_t fallback)
{
	put_COUNT(s, which, v, fallback);
}

static void
put_MS(const struct rfk_settings_table *s, enum rfk_setting which, int64_t v,
    int64_t fallback)
{
	print_put(print_origin(s, which, v == fallback), "%s %.15g",
	    settings_name(which), (double)v / 1e3);
}

static void
put_FLAG(const struct rfk_settings_table *s, enum rfk_setting which, int64_t v,
    int64_t fallback)
{
	print_put(print_origin(s, which, v == fallback), "%s %s",
	    settings_name(which), v ? "true" : "false");
}

/* A string of Ruby's; "#" would begin an interpolation. */
const char *
print_quoted(const char *text, char *out, size_t cap)
{
	size_t n = 0;

	out[n++] = '"';
	for (; *text != '\0' && n + 3 < cap; text++) {
		if (strchr("\"\\#", *text) != NULL)
			out[n++] = '\\';
		out[n++] = *text;
	}
	out[n++] = '"';
	out[n] = '\0';
	return out;
}

static void
put_TEXT(const struct rfk_settings_table *s, enum rfk_setting which,
    const char *v, const char *fallback)
{
	char text[2 * 4096];

	if (v[0] != '\0')
		print_put(print_origin(s, which, strcmp(v, fallback) == 0),
		    "%s %s", settings_name(which),
		    print_quoted(v, text, sizeof(text)));
}

void
print_settings(const struct rfk_settings_table *s)
{
	char text[2 * 4096];
	size_t i;

	printf("# what %s comes to\n",
	    s->config_file[0] ? s->config_file : "no configuration file");
	print_put(s->personality_why, "personality :%s",
	    personalities[s->personality]);
#define SETTING(name, kind, fallback, min, max)                                \
	if (!spell(s, RFK_SET_##name))                                         \
		put_##kind(s, RFK_SET_##name, s->name, fallback);
#include <reforkd/settings.def>
#undef SETTING
	if (s->pool[0] != '\0')
		printf("# and besides: pool %s\n", s->pool);
	if (s->rackup[0] != '\0')
		printf(
		    "rack %s\n", print_quoted(s->rackup, text, sizeof(text)));
	for (i = 0; i < s->listens; i++)
		spell_listen(&s->listen[i]);
	spell_refork(s);
}

void
print_error(const struct options *o, const char *text)
{
	fprintf(stderr, "%s: %s\n", o->program, text);
}
