/*
 * fd.c - descriptors: close without losing errno, flags, whole writes.
 */
#include "base/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

void
fd_close(int *take_fd)
{
	int saved = errno;

	/* Not again after EINTR: on Linux the descriptor is gone by then. */
	if (*take_fd >= 0)
		(void)close(*take_fd);
	*take_fd = -1;
	errno = saved;
}

int
fd_cloexec(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFD);

	if (flags < 0)
		return -errno;
	flags = on ? flags | FD_CLOEXEC : flags & ~FD_CLOEXEC;
	return fcntl(fd, F_SETFD, flags) < 0 ? -errno : 0;
}

int
fd_nonblock(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return -errno;
	flags = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
	return fcntl(fd, F_SETFL, flags) < 0 ? -errno : 0;
}

int
fd_write_all(int fd, const void *bytes, size_t len)
{
	const char *p = bytes;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

ssize_t
fd_read_file(const char *path, char *out, size_t cap)
{
	size_t len = 0;
	ssize_t n = 0;
	int fd;

	if (cap == 0)
		return -EINVAL;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while (len < cap - 1) {
		n = read(fd, out + len, cap - 1 - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	if (n < 0)
		n = -errno;
	fd_close(&fd);
	out[len] = '\0';
	return n < 0 ? n : (ssize_t)len;
}

/* The number a name in /proc/self/fd stands for, or -1. */
static int
fd_number(const char *name)
{
	char *end;
	long n = strtol(name, &end, 10);

	return end == name || *end != '\0' || n < 0 || n > INT_MAX ? -1
								   : (int)n;
}

int
fd_count(void)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	int n = 0;

	if (dir == NULL)
		return -errno;
	while ((entry = readdir(dir)) != NULL)
		if (fd_number(entry->d_name) >= 0)
			n++;
	(void)closedir(dir);
	return n - 1; /* the directory's own */
}

void
fd_close_others(int from, bool (*keep)(int fd, void *), void *arg)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	long fd, limit;

	/* The kernel walks by number, so closing behind its back is safe. */
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		fd = fd_number(entry->d_name);
		if (fd >= from && fd != dirfd(dir) &&
		    (keep == NULL || !keep((int)fd, arg)))
			(void)close((int)fd);
	}
	if (dir != NULL) {
		(void)closedir(dir);
		return;
	}
	/* A chroot without /proc, or no descriptor left to read it with. */
	limit = sysconf(_SC_OPEN_MAX);
	for (fd = from; fd < limit && fd <= INT_MAX; fd++)
		if (keep == NULL || !keep((int)fd, arg))
			(void)close((int)fd);
}
