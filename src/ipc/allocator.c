/*
 * allocator.c - MALLOC_ARENA_MAX and LD_PRELOAD.
 */
#include "ipc/allocator.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <reforkd/settings.h>

#include "base/environ.h"

#define ARENAS "MALLOC_ARENA_MAX"
#define PRELOAD "LD_PRELOAD"
/* The user's own list of libraries comes behind ours. */
#define PRELOAD_MAX 8192

static bool
arenas_text(const struct rfk_settings_table *s, char *out, size_t cap)
{
	(void)snprintf(out, cap, "%lld", (long long)s->malloc_arena_max);
	return s->malloc_arena_max > 0;
}

static bool
preload_text(const struct rfk_settings_table *s, char *out, size_t cap)
{
	const char *own = getenv(PRELOAD);

	if (s->malloc_library[0] == '\0')
		return false;
	(void)snprintf(out, cap, "%s%s%s", s->malloc_library,
	    own != NULL && *own != '\0' ? ":" : "", own != NULL ? own : "");
	return true;
}

int
allocator_put(const struct rfk_settings_table *s)
{
	char text[PRELOAD_MAX];
	int rc = 0;

	if (arenas_text(s, text, sizeof(text)))
		rc = environ_put(ARENAS, text);
	if (rc == 0 && preload_text(s, text, sizeof(text)))
		rc = environ_put(PRELOAD, text);
	return rc;
}

static bool
differs(const char *name, bool is_wanted, const char *text)
{
	const char *was = environ_was_put(name);

	if (!is_wanted || was == NULL)
		return is_wanted || was != NULL;
	return strcmp(was, text) != 0;
}

bool
allocator_differs(const struct rfk_settings_table *s)
{
	char text[PRELOAD_MAX];
	bool is_wanted = arenas_text(s, text, sizeof(text));

	if (differs(ARENAS, is_wanted, text))
		return true;
	is_wanted = preload_text(s, text, sizeof(text));
	return differs(PRELOAD, is_wanted, text);
}

void
allocator_forget(void)
{
	environ_forget(ARENAS);
	environ_forget(PRELOAD);
}

bool
allocator_is_mapped(const struct rfk_settings_table *s)
{
	char path[PATH_MAX], line[PATH_MAX + 128];
	FILE *maps;
	bool found = false;

	if (realpath(s->malloc_library, path) == NULL)
		return false;
	maps = fopen("/proc/self/maps", "re");
	if (maps == NULL)
		return true; /* nobody can say that it is not */
	while (!found && fgets(line, sizeof(line), maps) != NULL)
		found = strstr(line, path) != NULL;
	(void)fclose(maps);
	return found;
}
