/*
 * sockpath.c - where a master's control socket lies by default.
 */
#include "base/sockpath.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int __attribute__((format(printf, 3, 4)))
path_put(char *out, size_t cap, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(out, cap, fmt, ap);
	va_end(ap);
	return n < 0 || (size_t)n >= cap ? -ENAMETOOLONG : 0;
}

uint64_t
sockpath_hash(const char *text)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (; *text != '\0'; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
	return hash;
}

int
sockpath_dir(char *out, size_t cap)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	unsigned int uid = (unsigned int)geteuid();
	struct stat st;
	char user[64];

	if (runtime != NULL && runtime[0] == '/')
		return path_put(out, cap, "%s/reforkd", runtime);
	(void)snprintf(user, sizeof(user), "/run/user/%u", uid);
	if (stat(user, &st) == 0 && S_ISDIR(st.st_mode) &&
	    st.st_uid == geteuid())
		return path_put(out, cap, "%s/reforkd", user);
	return path_put(out, cap, "/tmp/reforkd-%u", uid);
}

int
sockpath_by_config(const char *config, char *out, size_t cap)
{
	const char *named = config == NULL || *config == '\0' ? "." : config;
	char dir[SOCKPATH_MAX], real[PATH_MAX];
	int rc = sockpath_dir(dir, sizeof(dir));

	if (rc < 0)
		return rc;
	if (realpath(named, real) == NULL)
		return -errno;
	return path_put(
	    out, cap, "%s/%016" PRIx64 ".sock", dir, sockpath_hash(real));
}

int
sockpath_by_pid_file(const char *pid_file, char *out, size_t cap)
{
	return path_put(out, cap, "%s.sock", pid_file);
}

int
sockpath_make_dir(const char *dir)
{
	struct stat st;

	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return -errno;
	/* In /tmp anybody could have been there first. */
	if (lstat(dir, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() ||
	    (st.st_mode & 077) != 0)
		return -EPERM;
	return 0;
}

int
sockpath_of_leases(const char *set, const char *control, char *out, size_t cap)
{
	size_t len = strlen(control);
	int n;

	if (*set == '\0' && len == 0)
		return -ENOENT;
	if (len > 5 && strcmp(control + len - 5, ".sock") == 0)
		len -= 5;
	n = *set != '\0' ? snprintf(out, cap, "%s", set)
			 : snprintf(out, cap, "%.*s.lease", (int)len, control);
	return n < 0 || (size_t)n >= cap ? -ENAMETOOLONG : 0;
}
