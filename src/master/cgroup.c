#include "master/cgroup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"

/* Version 1 has no word for "no limit" but a number near 2^63. */
#define NO_LIMIT (1ull << 60)

static bool
has_word(const char *list, size_t len, const char *word)
{
	size_t n = strlen(word);
	const char *end = list + len;

	for (; list < end; list++) {
		size_t part = strcspn(list, ",:");

		if (part == n && memcmp(list, word, n) == 0)
			return true;
		list += part;
	}
	return false;
}

/* Lines are "N:controllers:path"; version 2's is "0::path". */
int
cgroup_parse(const char *text, bool want_v1, char *path, unsigned int cap)
{
	const char *line, *list, *at;
	size_t list_len, len;

	for (line = text; *line != '\0';) {
		size_t whole = strcspn(line, "\n");

		list = memchr(line, ':', whole);
		at = list == NULL ? NULL
				  : memchr(list + 1, ':',
					whole - (size_t)(list + 1 - line));
		if (at != NULL) {
			list_len = (size_t)(at - list - 1);
			len = whole - (size_t)(at + 1 - line);
			if (len < cap &&
			    (want_v1 ? has_word(list + 1, list_len, "memory")
				     : list_len == 0)) {
				memcpy(path, at + 1, len);
				path[len] = '\0';
				return want_v1 ? 1 : 2;
			}
		}
		line += whole + (line[whole] == '\n');
	}
	return 0;
}

static bool
exists(const char *dir, const char *name)
{
	char path[CGROUP_PATH + 64];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return access(path, R_OK) == 0;
}

/*
 * In a container the path is the host's while the mount shows the group as its
 * root: then the root is what counts.
 */
static bool
place(struct cgroup *c, int version, const char *root, const char *path,
    const char *file)
{
	if (snprintf(c->root, sizeof(c->root), "%s", root) >=
		(int)sizeof(c->root) ||
	    snprintf(c->dir, sizeof(c->dir), "%s%s", root,
		strcmp(path, "/") == 0 ? "" : path) >= (int)sizeof(c->dir))
		return false;
	c->version = version;
	if (exists(c->dir, file))
		return true;
	snprintf(c->dir, sizeof(c->dir), "%s", root);
	return exists(c->dir, file);
}

void
cgroup_find(struct cgroup *c, const char *procfs, const char *sysfs)
{
	char text[8192], name[192], path[256];

	memset(c, 0, sizeof(*c));
	snprintf(name, sizeof(name), "%s/self/cgroup", procfs);
	if (fd_read_file(name, text, sizeof(text)) <= 0)
		return;
	/* memory.stat stands in every group, the root included. */
	if (cgroup_parse(text, false, path, sizeof(path)) == 2 &&
	    place(c, 2, sysfs, path, "memory.stat"))
		return;
	snprintf(name, sizeof(name), "%s/memory", sysfs);
	if (cgroup_parse(text, true, path, sizeof(path)) == 1 &&
	    place(c, 1, name, path, "memory.limit_in_bytes"))
		return;
	memset(c, 0, sizeof(*c));
}

static uint64_t
limit_of(const char *dir, const char *file)
{
	char path[CGROUP_PATH + 64], text[64];
	uint64_t bytes;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	if (fd_read_file(path, text, sizeof(text)) <= 0 || text[0] == 'm')
		return 0;
	bytes = strtoull(text, NULL, 10);
	return bytes >= NO_LIMIT ? 0 : bytes / 1024;
}

static void
lower(uint64_t *limit, uint64_t other)
{
	if (other != 0 && (*limit == 0 || other < *limit))
		*limit = other;
}

/* A parent's limit holds for its children, whatever theirs says. */
uint64_t
cgroup_limit_kb(const struct cgroup *c)
{
	char dir[CGROUP_PATH], *slash;
	uint64_t limit = 0;

	if (c->version == 0)
		return 0;
	memcpy(dir, c->dir, sizeof(dir));
	for (;;) {
		if (c->version == 2) {
			lower(&limit, limit_of(dir, "memory.max"));
			lower(&limit, limit_of(dir, "memory.high"));
		} else {
			lower(&limit, limit_of(dir, "memory.limit_in_bytes"));
		}
		slash = strrchr(dir, '/');
		if (slash == NULL || strlen(dir) <= strlen(c->root))
			return limit;
		*slash = '\0';
	}
}

uint64_t
cgroup_available_kb(
    const struct cgroup *c, const char *procfs, const char **what)
{
	uint64_t limit = cgroup_limit_kb(c), host = 0;
	char path[192], text[512];
	const char *at;

	snprintf(path, sizeof(path), "%s/meminfo", procfs);
	if (fd_read_file(path, text, sizeof(text)) > 0) {
		at = strstr(text, "MemTotal:");
		if (at != NULL)
			host = strtoull(at + 9, NULL, 10);
	}
	*what = "the host's memory";
	if (limit != 0 && (host == 0 || limit < host)) {
		*what = "the cgroup's limit";
		return limit;
	}
	return host;
}

static uint64_t
counter(const char *text, const char *name)
{
	size_t n = strlen(name);
	const char *line;

	for (line = text; line != NULL && *line != '\0';) {
		if (strncmp(line, name, n) == 0 && line[n] == ' ')
			return strtoull(line + n, NULL, 10);
		line = strchr(line, '\n');
		line = line != NULL ? line + 1 : NULL;
	}
	return 0;
}

static bool
read_pressure(const char *path, struct cgroup_events *e)
{
	char text[512];
	const char *at;

	if (fd_read_file(path, text, sizeof(text)) <= 0)
		return false;
	at = strstr(text, "some avg10=");
	if (at != NULL)
		e->some_avg10 = strtod(at + 11, NULL);
	return at != NULL;
}

int
cgroup_events_read(
    const struct cgroup *c, const char *procfs, struct cgroup_events *e)
{
	char path[CGROUP_PATH + 64], text[1024];
	bool any = false;

	memset(e, 0, sizeof(*e));
	if (c->version == 2) {
		snprintf(path, sizeof(path), "%s/memory.events", c->dir);
		if (fd_read_file(path, text, sizeof(text)) > 0) {
			e->high = counter(text, "high");
			e->max = counter(text, "max");
			e->oom_kill = counter(text, "oom_kill");
			any = true;
		}
		snprintf(path, sizeof(path), "%s/memory.pressure", c->dir);
		if (read_pressure(path, e))
			return 0;
	} else if (c->version == 1) {
		snprintf(path, sizeof(path), "%s/memory.failcnt", c->dir);
		if (fd_read_file(path, text, sizeof(text)) > 0) {
			e->max = strtoull(text, NULL, 10);
			any = true;
		}
		snprintf(path, sizeof(path), "%s/memory.oom_control", c->dir);
		if (fd_read_file(path, text, sizeof(text)) > 0)
			e->oom_kill = counter(text, "oom_kill");
	}
	snprintf(path, sizeof(path), "%s/pressure/memory", procfs);
	return read_pressure(path, e) || any ? 0 : -ENOENT;
}
