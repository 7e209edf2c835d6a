/*
 * find.c - which masters there are, and where they listen.
 */
#include "ctl/find.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/record.h"
#include "ctl/client.h"

void
find_fini(struct find *f)
{
	buf_fini(&f->tried);
}

static void
add(struct find *f, const char *path)
{
	size_t i;

	if (strlen(path) >= SOCKPATH_MAX || f->n == FIND_MAX)
		return;
	for (i = 0; i < f->n; i++)
		if (strcmp(f->at[i].path, path) == 0)
			return;
	memset(&f->at[f->n], 0, sizeof(f->at[0]));
	memcpy(f->at[f->n++].path, path, strlen(path) + 1);
}

static bool
ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

static void
add_dir(struct find *f)
{
	char dir_path[SOCKPATH_MAX], path[SOCKPATH_MAX + 256];
	struct dirent *entry;
	DIR *dir;

	if (sockpath_dir(dir_path, sizeof(dir_path)) < 0)
		return;
	dir = opendir(dir_path);
	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL) {
		if (!ends_with(entry->d_name, ".sock"))
			continue;
		(void)snprintf(
		    path, sizeof(path), "%s/%s", dir_path, entry->d_name);
		add(f, path);
	}
	(void)closedir(dir);
}

/* Processes */

static bool
is_number(const char *name)
{
	return *name != '\0' && name[strspn(name, "0123456789")] == '\0';
}

/* By its executable: a title is whatever a process says. */
static bool
is_master(const char *pid)
{
	char link[64], exe[PATH_MAX];
	struct stat st;
	char *deleted;
	ssize_t n;

	(void)snprintf(link, sizeof(link), "/proc/%.20s", pid);
	if (stat(link, &st) < 0 || (st.st_uid != geteuid() && geteuid() != 0))
		return false;
	(void)snprintf(link, sizeof(link), "/proc/%.20s/exe", pid);
	n = readlink(link, exe, sizeof(exe) - 1);
	if (n < 0)
		return false;
	exe[n] = '\0';
	/* A new version was installed over the one that runs. */
	deleted = strstr(exe, " (deleted)");
	if (deleted != NULL)
		*deleted = '\0';
	return ends_with(exe, "/reforkd");
}

/* Does the process hold this socket? fds has a line "INODE\n" for each. */
static bool
holds(const struct buf *fds, const char *inode)
{
	char line[64];
	int n = snprintf(line, sizeof(line), "\n%.40s\n", inode);

	return fds->len > 0 &&
	       memmem(fds->data, fds->len, line, (size_t)n) != NULL;
}

static int
sockets_of(pid_t pid, struct buf *fds)
{
	char path[64], target[64];
	struct dirent *entry;
	ssize_t n;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	if (dir == NULL)
		return -errno;
	(void)buf_puts(fds, "\n");
	while ((entry = readdir(dir)) != NULL) {
		n = readlinkat(
		    dirfd(dir), entry->d_name, target, sizeof(target) - 1);
		if (n < 0)
			continue;
		target[n] = '\0';
		if (strncmp(target, "socket:[", 8) == 0)
			(void)buf_printf(fds, "%.*s\n",
			    (int)strcspn(target + 8, "]"), target + 8);
	}
	(void)closedir(dir);
	return 0;
}

/* The control socket is its owner's alone; sockets for clients seldom are. */
static void
add_socket(struct find *f, const char *path)
{
	struct stat st;

	if (path[0] == '/' && lstat(path, &st) == 0 && S_ISSOCK(st.st_mode) &&
	    (st.st_mode & 077) == 0)
		add(f, path);
}

/* "ADDRESS: REFS PROTOCOL FLAGS TYPE STATE INODE PATH"; 00010000 = listens. */
static void
add_if_held(struct find *f, const struct buf *fds, char *line)
{
	char *word[8], *rest = line;
	size_t i = 0;

	line[strcspn(line, "\n")] = '\0';
	while (i < 7) {
		word[i] = strsep(&rest, " ");
		if (word[i] == NULL)
			return;
		if (*word[i] != '\0')
			i++;
	}
	if (rest != NULL && strcmp(word[3], "00010000") == 0 &&
	    holds(fds, word[6]))
		add_socket(f, rest);
}

static int
add_of_pid(struct find *f, pid_t pid)
{
	struct buf fds = BUF_INIT;
	char path[64], line[1024];
	FILE *table;
	int rc = sockets_of(pid, &fds);

	(void)snprintf(path, sizeof(path), "/proc/%d/net/unix", (int)pid);
	table = rc == 0 ? fopen(path, "re") : NULL;
	if (rc == 0 && table == NULL)
		rc = -errno;
	while (table != NULL && fgets(line, sizeof(line), table) != NULL)
		add_if_held(f, &fds, line);
	if (table != NULL)
		(void)fclose(table);
	buf_fini(&fds);
	return rc;
}

/* The ways to name a master */

int
find_all(struct find *f, struct fail *why)
{
	struct dirent *entry;
	DIR *dir;

	add_dir(f);
	dir = opendir("/proc");
	if (dir == NULL)
		return fail_set(why, errno, "/proc: %s", strerror(errno));
	while ((entry = readdir(dir)) != NULL)
		if (is_number(entry->d_name) && is_master(entry->d_name))
			(void)add_of_pid(
			    f, (pid_t)strtol(entry->d_name, NULL, 10));
	(void)closedir(dir);
	return 0;
}

int
find_by_pid(struct find *f, pid_t pid, struct fail *why)
{
	int rc = add_of_pid(f, pid);

	if (rc < 0)
		return fail_set(why, -rc, "process %d: %s", (int)pid,
		    rc == -ENOENT ? "there is none" : strerror(-rc));
	if (f->n == 0)
		return fail_set(why, ENOENT,
		    "process %d listens at no control socket: is it a "
		    "reforkd master?",
		    (int)pid);
	return 0;
}

int
find_by_path(struct find *f, const char *path, struct fail *why)
{
	add(f, path);
	return f->n > 0 ? 0
			: fail_set(why, ENAMETOOLONG,
			      "too long for a socket (> 107 bytes): %s", path);
}

static void
keep_those_of(struct find *f, const char *config)
{
	size_t i, n = 0;

	for (i = 0; i < f->n; i++) {
		struct found *found = &f->at[i];
		char real[PATH_MAX];

		if (strcmp(found->config, config) == 0 ||
		    (realpath(found->config, real) != NULL &&
			strcmp(real, config) == 0))
			f->at[n++] = *found;
		else
			(void)buf_printf(&f->tried,
			    "  %s: runs another configuration, %s\n",
			    found->path, found->config);
	}
	f->n = n;
}

int
find_by_config(struct find *f, const char *config, struct fail *why)
{
	char path[SOCKPATH_MAX], real[PATH_MAX];

	if (realpath(config, real) == NULL)
		return fail_set(why, errno, "%s: %s", config, strerror(errno));
	if (sockpath_by_config(real, path, sizeof(path)) == 0)
		add(f, path);
	find_ask(f);
	if (f->n > 0)
		return 0;
	/* The file may name a pid file or a socket: the masters know. */
	if (find_all(f, why) < 0)
		return -why->error;
	find_ask(f);
	keep_those_of(f, real);
	if (f->n == 0)
		return fail_set(
		    why, ENOENT, "no master runs %s: is it running?", real);
	return 0;
}

/* Asking */

static void
note(struct found *found, const struct record *record)
{
	const char *pid = record_get(record, "pid");
	const char *uptime = record_get(record, "uptime_ms");
	const char *version = record_get(record, "version");
	const char *phase = record_get(record, "phase");
	const char *config = record_get(record, "config");
	const char *leases = record_get(record, "leases");

	found->answers = true;
	found->pid = pid != NULL ? strtoll(pid, NULL, 10) : 0;
	found->uptime_ms = uptime != NULL ? strtoull(uptime, NULL, 10) : 0;
	(void)snprintf(found->version, sizeof(found->version), "%s",
	    version != NULL ? version : "?");
	(void)snprintf(found->phase, sizeof(found->phase), "%s",
	    phase != NULL ? phase : "?");
	(void)snprintf(found->config, sizeof(found->config), "%s",
	    config != NULL ? config : "");
	(void)snprintf(found->leases, sizeof(found->leases), "%s",
	    leases != NULL ? leases : "");
}

static int
ask(struct found *found, struct fail *why)
{
	struct record record;
	struct client client;
	const char *text;
	char *line;
	int rc, end;

	rc = client_open(&client, found->path, why);
	if (rc < 0)
		return rc;
	rc = client_ask(&client, "status", why);
	line = rc < 0 ? NULL : client_line(&client, CLIENT_TIMEOUT_MS, why);
	if (line == NULL)
		rc = fail_in(why, "%s", found->path);
	else if (client_is_end(line, &end, &text))
		rc = fail_set(why, EPROTO, "%s: %s", found->path, text);
	else if (record_parse(&record, line) < 0 ||
		 strcmp(record.kind, "master") != 0)
		rc = fail_set(why, EPROTO,
		    "%s: what answers there is not a reforkd master",
		    found->path);
	else
		note(found, &record);
	client_close(&client);
	return rc;
}

void
find_ask(struct find *f)
{
	size_t i, n = 0;

	for (i = 0; i < f->n; i++) {
		struct fail why = FAIL_INIT;
		int rc = f->at[i].answers ? 0 : ask(&f->at[i], &why);

		if (rc == 0) {
			f->at[n++] = f->at[i];
			continue;
		}
		f->error = why.error;
		(void)buf_printf(&f->tried, "  %s\n", why.text);
	}
	f->n = n;
}
