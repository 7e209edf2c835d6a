/*
 * settings.c - "name=value" NUL ... into a table, checked by settings.def.
 *
 * The block comes from a process that runs application code: each value is
 * checked here again, whatever config.rb has checked before.
 */
#include <reforkd/settings.h>

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { KIND_COUNT, KIND_MS, KIND_SIZE, KIND_FLAG, KIND_TEXT };

struct setting {
	const char *name;
	enum kind kind;
	size_t offset;
	int64_t number; /* default, unless TEXT */
	const char *text;
	int64_t min, max;
};

#define NUMBER_COUNT(x) (x), NULL
#define NUMBER_MS(x) (x), NULL
#define NUMBER_SIZE(x) (x), NULL
#define NUMBER_FLAG(x) (x), NULL
#define NUMBER_TEXT(x) 0, (x)

static const struct setting settings[] = {
#define SETTING(name, kind, fallback, min, max)                                \
	{ #name, KIND_##kind, offsetof(struct rfk_settings_table, name),       \
		NUMBER_##kind(fallback), (min), (max) },
#include <reforkd/settings.def>
#undef SETTING
};

#define SETTINGS (sizeof(settings) / sizeof(settings[0]))

/* What a listener's options are called, where they go, and what they may be. */
struct option {
	const char *name;
	size_t offset;
	int64_t min, max;
};

#define OPTION(name, min, max)                                                 \
	{                                                                      \
#name, offsetof(struct rfk_listen, name), (min), (max)         \
	}

static const struct option options[] = {
	OPTION(backlog, -1, INT_MAX),
	OPTION(tcp_nodelay, -1, 1),
	OPTION(tcp_nopush, -1, 1),
	OPTION(tcp_defer_accept, -1, INT_MAX),
	OPTION(ipv6only, -1, 1),
	OPTION(reuseport, -1, 1),
	OPTION(rcvbuf, -1, INT_MAX),
	OPTION(sndbuf, -1, INT_MAX),
	OPTION(umask, 0, 0777),
	OPTION(tries, INT_MIN, INT_MAX),
	OPTION(delay_ms, 0, INT_MAX),
	OPTION(queue, 0, RFK_LISTENERS_MAX - 1),
	OPTION(queues, 1, RFK_LISTENERS_MAX),
	OPTION(queues_per_worker, 1, RFK_LISTENERS_MAX),
};

#define OPTIONS (sizeof(options) / sizeof(options[0]))

static const struct rfk_listen listen_default = {
	.backlog = 1024,
	.tcp_nodelay = 1,
	.tcp_nopush = -1,
	.tcp_defer_accept = 1,
	.ipv6only = -1,
	.reuseport = -1,
	.rcvbuf = -1,
	.sndbuf = -1,
	.tries = 5,
	.delay_ms = 500,
};

/* Where a complaint goes. */
struct why {
	char *text;
	size_t size;
};

static int complain(const struct why *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static int
complain(const struct why *why, const char *fmt, ...)
{
	va_list ap;

	if (why->size > 0) {
		va_start(ap, fmt);
		(void)vsnprintf(why->text, why->size, fmt, ap);
		va_end(ap);
	}
	return -EPROTO;
}

static int64_t *
number_of(struct rfk_settings_table *t, const struct setting *s)
{
	return (int64_t *)(void *)((char *)t + s->offset);
}

static char **
text_of(struct rfk_settings_table *t, const struct setting *s)
{
	return (char **)(void *)((char *)t + s->offset);
}

int
settings_init(struct rfk_settings_table *t)
{
	const struct setting *s;

	memset(t, 0, sizeof(*t));
	for (s = settings; s < settings + SETTINGS; s++) {
		if (s->kind != KIND_TEXT) {
			*number_of(t, s) = s->number;
			continue;
		}
		*text_of(t, s) = strdup(s->text);
		if (*text_of(t, s) == NULL) {
			settings_fini(t);
			return -ENOMEM;
		}
	}
	return 0;
}

void
settings_fini(struct rfk_settings_table *t)
{
	const struct setting *s;
	size_t i;

	for (s = settings; s < settings + SETTINGS; s++)
		if (s->kind == KIND_TEXT)
			free(*text_of(t, s));
	for (i = 0; i < RFK_SETTINGS; i++)
		free(t->place[i]);
	for (i = 0; i < t->listens; i++) {
		free(t->listen[i].address);
		free(t->listen[i].place);
	}
	free(t->listen);
	memset(t, 0, sizeof(*t));
}

/* A whole decimal number and nothing around it. */
static int
number_parse(const char *text, size_t len, int64_t *out)
{
	char digits[24];
	char *end;

	if (len == 0 || len >= sizeof(digits))
		return -EPROTO;
	/* strtoll would take blanks and a plus. */
	if (text[0] != '-' && (text[0] < '0' || text[0] > '9'))
		return -EPROTO;
	memcpy(digits, text, len);
	digits[len] = '\0';
	errno = 0;
	*out = strtoll(digits, &end, 10);
	return errno != 0 || end == digits || *end != '\0' ? -EPROTO : 0;
}

static int
setting_decode(struct rfk_settings_table *t, const struct setting *s,
    const char *value, const struct why *why)
{
	size_t len = strlen(value);
	int64_t number;
	char *text;

	if (s->kind != KIND_TEXT) {
		if (number_parse(value, len, &number) < 0)
			return complain(
			    why, "%s: \"%s\" is no number", s->name, value);
		if (number < s->min || number > s->max)
			return complain(why,
			    "%s: %lld is not between %lld and %lld", s->name,
			    (long long)number, (long long)s->min,
			    (long long)s->max);
		*number_of(t, s) = number;
		return 0;
	}
	if ((int64_t)len < s->min || (int64_t)len > s->max)
		return complain(why, "%s: %zu bytes long, at most %lld",
		    s->name, len, (long long)s->max);
	text = strdup(value);
	if (text == NULL)
		return -ENOMEM;
	free(*text_of(t, s));
	*text_of(t, s) = text;
	return 0;
}

static int
place_keep(char **place, const char *text, size_t len)
{
	char *copy = strndup(text, len);

	if (copy == NULL)
		return -ENOMEM;
	free(*place);
	*place = copy;
	return 0;
}

/* One "key=value" of a listener, len bytes. */
static int
option_decode(
    struct rfk_listen *l, const char *text, size_t len, const struct why *why)
{
	const char *eq = memchr(text, '=', len);
	const struct option *o;
	size_t name_len;
	int64_t number;

	if (eq == NULL)
		return complain(why, "listen %s: \"%.*s\" is no option",
		    l->address, (int)len, text);
	name_len = (size_t)(eq - text);
	if (name_len == 5 && memcmp(text, "place", 5) == 0)
		return place_keep(&l->place, eq + 1, len - name_len - 1);
	for (o = options; o < options + OPTIONS; o++)
		if (strlen(o->name) == name_len &&
		    memcmp(o->name, text, name_len) == 0)
			break;
	if (o == options + OPTIONS)
		return complain(why, "listen %s: unknown option \"%.*s\"",
		    l->address, (int)name_len, text);
	if (number_parse(eq + 1, len - name_len - 1, &number) < 0 ||
	    number < o->min || number > o->max)
		return complain(why,
		    "listen %s: %s: \"%.*s\" is not between %lld and %lld",
		    l->address, o->name, (int)(len - name_len - 1), eq + 1,
		    (long long)o->min, (long long)o->max);
	*(int *)(void *)((char *)l + o->offset) = (int)number;
	return 0;
}

static int
listen_decode(
    struct rfk_settings_table *t, const char *value, const struct why *why)
{
	size_t len = strcspn(value, "\t");
	struct rfk_listen *l;

	if (len == 0)
		return complain(why, "listen: no address");
	if (t->listens >= RFK_LISTENERS_MAX)
		return complain(
		    why, "listen: more than %d", (int)RFK_LISTENERS_MAX);
	l = realloc(t->listen, (t->listens + 1) * sizeof(*l));
	if (l == NULL)
		return -ENOMEM;
	t->listen = l;
	l += t->listens;
	*l = listen_default;
	l->address = strndup(value, len);
	l->place = strdup("");
	if (l->address == NULL || l->place == NULL) {
		free(l->address);
		free(l->place);
		return -ENOMEM;
	}
	t->listens++; /* settings_fini owns both from here */
	while (value[len] == '\t') {
		int rc;

		value += len + 1;
		len = strcspn(value, "\t");
		rc = option_decode(l, value, len, why);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int
refork_after_decode(
    struct rfk_settings_table *t, const char *value, const struct why *why)
{
	const char *p = value;

	t->refork_afters = 0;
	if (*p == '\0')
		return 0;
	for (;; p++) {
		size_t len = strcspn(p, ",");
		int64_t number = 0;
		bool is_false = len == 5 && memcmp(p, "false", len) == 0;

		if (!is_false &&
		    (number_parse(p, len, &number) < 0 || number < 0))
			return complain(why,
			    "refork_after: \"%.*s\" is neither a number of "
			    "requests nor false",
			    (int)len, p);
		if (t->refork_afters >= RFK_REFORK_AFTER_MAX)
			return complain(why, "refork_after: more than %d",
			    RFK_REFORK_AFTER_MAX);
		t->refork_after[t->refork_afters++] = number;
		p += len;
		if (*p == '\0')
			return 0;
	}
}

static const struct setting *
find(const char *name, size_t len)
{
	const struct setting *s;

	for (s = settings; s < settings + SETTINGS; s++)
		if (strlen(s->name) == len && memcmp(s->name, name, len) == 0)
			return s;
	return NULL;
}

/* "NAME TAB FILE:LINE" */
static int
place_decode(
    struct rfk_settings_table *t, const char *value, const struct why *why)
{
	size_t len = strcspn(value, "\t");
	const struct setting *s = find(value, len);

	if (s == NULL || value[len] == '\0')
		return complain(why, "place: \"%s\" is no setting's", value);
	value += len + 1;
	return place_keep(&t->place[s - settings], value, strlen(value));
}

const char *
settings_name(enum rfk_setting which)
{
	return settings[which].name;
}

/* One NUL-terminated "name=value". */
static int
entry_decode(
    struct rfk_settings_table *t, const char *entry, const struct why *why)
{
	const char *eq = strchr(entry, '=');
	const struct setting *s;
	size_t len;

	if (eq == NULL)
		return complain(why, "\"%s\" has no value", entry);
	len = (size_t)(eq - entry);
	if (len == 6 && memcmp(entry, "listen", len) == 0)
		return listen_decode(t, eq + 1, why);
	if (len == 12 && memcmp(entry, "refork_after", len) == 0)
		return refork_after_decode(t, eq + 1, why);
	if (len == 5 && memcmp(entry, "place", len) == 0)
		return place_decode(t, eq + 1, why);
	s = find(entry, len);
	if (s != NULL)
		return setting_decode(t, s, eq + 1, why);
	return complain(why, "unknown setting \"%.*s\"", (int)len, entry);
}

int
settings_decode(struct rfk_settings_table *t, const char *block, size_t len,
    char *why, size_t why_size)
{
	struct why complaint = { why, why_size };
	const char *end = block + len;
	const char *next;

	for (; block < end; block = next + 1) {
		int rc;

		next = memchr(block, '\0', (size_t)(end - block));
		if (next == NULL)
			return complain(&complaint, "cut off at \"%.*s\"",
			    (int)(end - block), block);
		rc = entry_decode(t, block, &complaint);
		if (rc < 0)
			return rc;
	}
	return 0;
}
