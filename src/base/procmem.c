#include "base/procmem.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/fd.h"

static ssize_t
proc_file(int64_t pid, const char *name, char *text, size_t size)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%" PRId64 "/%s", pid, name);
	return fd_read_file(path, text, size);
}

static uint64_t
field_kb(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at == NULL ? 0 : strtoull(at + strlen(name), NULL, 10);
}

int
procmem_parse(const char *text, struct procmem *memory)
{
	memset(memory, 0, sizeof(*memory));
	if (text[0] == '\0')
		return -ESRCH;
	memory->rss_kb = field_kb(text, "\nRss:");
	memory->pss_kb = field_kb(text, "\nPss:");
	memory->uss_kb = field_kb(text, "\nPrivate_Clean:") +
			 field_kb(text, "\nPrivate_Dirty:") +
			 field_kb(text, "\nPrivate_Hugetlb:");
	return 0;
}

int
procmem_read(int64_t pid, struct procmem *memory)
{
	char text[4096];
	ssize_t n = proc_file(pid, "smaps_rollup", text, sizeof(text));

	if (n < 0) {
		memset(memory, 0, sizeof(*memory));
		return (int)n;
	}
	return procmem_parse(text, memory);
}

int64_t
procmem_rss_kb(int64_t pid)
{
	int64_t page_kb = sysconf(_SC_PAGESIZE) / 1024;
	char text[256], *end;
	ssize_t n = proc_file(pid, "statm", text, sizeof(text));
	int64_t pages;

	if (n < 0)
		return n;
	(void)strtoll(text, &end, 10);
	pages = strtoll(end, NULL, 10);
	return pages * page_kb;
}

int64_t
procmem_cpu_ms(int64_t pid)
{
	int64_t hz = sysconf(_SC_CLK_TCK);
	char text[1024], *at;
	ssize_t n = proc_file(pid, "stat", text, sizeof(text));
	int64_t ticks;
	int field;

	if (n < 0)
		return n;
	/* The name may hold anything, parentheses included. */
	at = strrchr(text, ')');
	for (field = 2; at != NULL && field < 14; field++) {
		at = strchr(at, ' ');
		at = at != NULL ? at + 1 : NULL;
	}
	if (at == NULL || hz <= 0)
		return -EPROTO;
	ticks = strtoll(at, &at, 10);
	ticks += strtoll(at, NULL, 10);
	return ticks * 1000 / hz;
}
