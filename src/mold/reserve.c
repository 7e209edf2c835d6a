#include "mold/reserve.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/fd.h"

static bool is_held[RESERVE_MAX];
static bool is_foreign[RESERVE_MAX]; /* left open by who started the master */

static int
move(int *fd)
{
	int other;

	if (*fd >= RESERVE_FIRST + RESERVE_MAX)
		return 0;
	other = fcntl(*fd, F_DUPFD_CLOEXEC, RESERVE_FIRST + RESERVE_MAX);
	if (other < 0)
		return -errno;
	fd_close(fd);
	*fd = other;
	return 0;
}

/* What somebody else has left open there is not touched before it must. */
int
reserve_begin(int *channel, int *board)
{
	int rc = move(channel);
	int null, i;

	if (rc == 0)
		rc = move(board);
	if (rc < 0)
		return rc;
	null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (null < 0)
		return -errno;
	for (i = 0; i < RESERVE_MAX; i++) {
		int fd = RESERVE_FIRST + i;

		int flags = fcntl(fd, F_GETFD);

		/* Ruby's own, where it has started before us, are CLOEXEC. */
		is_foreign[i] = flags >= 0 && (flags & FD_CLOEXEC) == 0;
		if (fd != null && flags >= 0)
			continue;
		if (fd != null && dup3(null, fd, O_CLOEXEC) < 0)
			return -errno;
		is_held[i] = true;
	}
	if (null >= RESERVE_FIRST + RESERVE_MAX)
		fd_close(&null);
	return 0;
}

int
reserve_use(int *fds, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		int fd = RESERVE_FIRST + (int)i;

		if (i >= RESERVE_MAX || (!is_held[i] && !is_foreign[i]))
			return -EBUSY;
		if (dup3(fds[i], fd, O_CLOEXEC) < 0)
			return -errno;
		fd_close(&fds[i]);
		fds[i] = fd;
		is_held[i] = false;
	}
	return 0;
}

void
reserve_end(void)
{
	int i;

	for (i = 0; i < RESERVE_MAX; i++) {
		if (is_held[i])
			(void)close(RESERVE_FIRST + i);
		is_held[i] = false;
	}
}
