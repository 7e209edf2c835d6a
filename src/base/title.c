/*
 * title.c - the process title, in the memory of the command line.
 *
 * ps reads what lies where the kernel put argv, and goes on into the
 * environment behind it when argv's last NUL is overwritten. So both move away
 * first: the strings of argv too, because options are borrowed from there.
 */
#include "base/title.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *area;
static size_t area_size;
/* The environment's array and strings, one block; freed by nobody. */
static char **volatile moved;

/* How far the strings lie one behind the other. */
static char *
end_of(char *const *strings, char *end)
{
	for (; *strings != NULL; strings++)
		if (end == NULL || *strings == end)
			end = *strings + strlen(*strings) + 1;
	return end;
}

/* The strings and their array in one block, or NULL. */
static char **
copy_of(char *const *strings)
{
	size_t n, size = 0;
	char **copy, *p;

	for (n = 0; strings[n] != NULL; n++)
		size += strlen(strings[n]) + 1;
	copy = malloc((n + 1) * sizeof(*copy) + size);
	if (copy == NULL)
		return NULL;
	p = (char *)(copy + n + 1);
	for (n = 0; strings[n] != NULL; n++) {
		size = strlen(strings[n]) + 1;
		copy[n] = memcpy(p, strings[n], size);
		p += size;
	}
	copy[n] = NULL;
	return copy;
}

int
title_init(int argc, char **argv)
{
	char **args, **env, *end;
	const char *slash;

	if (argc < 1)
		return -EINVAL;
	end = end_of(environ, end_of(argv, NULL));
	args = copy_of(argv);
	env = copy_of(environ);
	if (args == NULL || env == NULL) {
		free(args);
		free(env);
		return -ENOMEM;
	}
	area = argv[0];
	area_size = (size_t)(end - area);
	memcpy(argv, args, (size_t)argc * sizeof(*argv));
	/* The block of args stays: argv's strings lie in it from now on. */
	environ = env; /* NOLINT(clang-analyzer-unix.Malloc) */
	moved = env;
	slash = strrchr(argv[0], '/');
	program_invocation_name = argv[0];
	program_invocation_short_name =
	    slash != NULL ? argv[0] + (slash + 1 - argv[0]) : argv[0];
	return 0;
}

void
title_set(const char *fmt, ...)
{
	va_list ap;
	size_t len;

	if (area == NULL)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(area, area_size, fmt, ap);
	va_end(ap);
	/* The rest as NULs: an older, longer title must not show. */
	len = strlen(area);
	memset(area + len, 0, area_size - len);
}
