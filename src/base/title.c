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
/* environ's array, freed by nobody: setenv may move environ once more. */
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

static int
copy_each(char **out, char *const *strings)
{
	for (; *strings != NULL; strings++, out++) {
		*out = strdup(*strings);
		if (*out == NULL)
			return -ENOMEM;
	}
	return 0;
}

int
title_init(int argc, char **argv)
{
	char *end;
	char **env;
	size_t n = 0;

	if (argc < 1)
		return -EINVAL;
	end = end_of(environ, end_of(argv, NULL));
	while (environ[n] != NULL)
		n++;
	env = calloc(n + 1, sizeof(*env));
	if (env == NULL)
		return -ENOMEM;
	moved = env;
	if (copy_each(env, environ) < 0)
		return -ENOMEM;
	area = argv[0];
	if (copy_each(argv, argv) < 0) {
		area = NULL;
		return -ENOMEM;
	}
	environ = env;
	program_invocation_name = argv[0];
	program_invocation_short_name =
	    strrchr(argv[0], '/') != NULL ? strrchr(argv[0], '/') + 1 : argv[0];
	area_size = (size_t)(end - area);
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
