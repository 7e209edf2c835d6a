/*
 * memory.c - what a process costs.
 */
#include "ctl/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "base/fd.h"

static uint64_t
field_kb(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at == NULL ? 0 : strtoull(at + strlen(name), NULL, 10);
}

int
memory_read(int64_t pid, struct memory *memory)
{
	char path[64], text[4096];
	ssize_t n;

	memset(memory, 0, sizeof(*memory));
	(void)snprintf(
	    path, sizeof(path), "/proc/%" PRId64 "/smaps_rollup", pid);
	n = fd_read_file(path, text, sizeof(text));
	if (n < 0)
		return (int)n;
	if (n == 0)
		return -ESRCH;
	memory->rss_kb = field_kb(text, "\nRss:");
	memory->pss_kb = field_kb(text, "\nPss:");
	memory->uss_kb = field_kb(text, "\nPrivate_Clean:") +
			 field_kb(text, "\nPrivate_Dirty:") +
			 field_kb(text, "\nPrivate_Hugetlb:");
	return 0;
}
