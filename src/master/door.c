/*
 * door.c - a UNIX socket that only its owner may open.
 */
#include "master/door.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"

static int
address_set(struct sockaddr_un *address, const char *path, struct fail *why)
{
	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(address->sun_path))
		return fail_set(why, ENAMETOOLONG,
		    "the control socket's path is too long (> 107 bytes): %s",
		    path);
	memcpy(address->sun_path, path, strlen(path) + 1);
	return 0;
}

/* What a master that was killed has left is removed, and nothing else is. */
static int
make_room(const struct sockaddr_un *address, struct fail *why)
{
	const char *path = address->sun_path;
	struct stat st;
	int fd, error;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0
				       : fail_set(why, errno, "%s: %s", path,
					     strerror(errno));
	if (!S_ISSOCK(st.st_mode))
		return fail_set(
		    why, EEXIST, "%s is in the way: it is not a socket", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail_set(why, errno, "socket: %s", strerror(errno));
	error =
	    connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0
		? errno
		: 0;
	fd_close(&fd);
	if (error != ECONNREFUSED)
		return fail_set(why, EADDRINUSE,
		    "another process answers at the control socket %s", path);
	return unlink(path) < 0 ? fail_set(why, errno, "unlink %s: %s", path,
				      strerror(errno))
				: 0;
}

/* The umask makes it 0600 from birth; the master has no other thread. */
static int
door_bind(
    int fd, const struct sockaddr_un *address, int backlog, struct fail *why)
{
	mode_t umask_before = umask(0177);
	int rc = bind(fd, (const struct sockaddr *)address, sizeof(*address));
	int error = rc < 0 ? errno : 0;

	(void)umask(umask_before);
	if (error == 0 && listen(fd, backlog) < 0)
		error = errno;
	return error == 0 ? 0
			  : fail_set(why, error, "control socket %s: %s",
				address->sun_path, strerror(error));
}

static int
door_make(struct door *door, const struct sockaddr_un *address, int backlog,
    struct fail *why)
{
	struct stat st;
	int rc;

	door->fd =
	    socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (door->fd < 0)
		return fail_set(why, errno, "socket: %s", strerror(errno));
	rc = door_bind(door->fd, address, backlog, why);
	if (rc < 0)
		return rc;
	memcpy(door->path, address->sun_path, sizeof(address->sun_path));
	if (lstat(door->path, &st) == 0) {
		door->dev = st.st_dev;
		door->ino = st.st_ino;
	}
	return 0;
}

int
door_open(struct door *door, const char *path, int backlog, struct fail *why)
{
	struct sockaddr_un address;
	int rc;

	memset(door, 0, sizeof(*door));
	door->fd = -1;
	rc = address_set(&address, path, why);
	if (rc == 0)
		rc = make_room(&address, why);
	if (rc == 0)
		rc = door_make(door, &address, backlog, why);
	if (rc < 0)
		fd_close(&door->fd);
	return rc;
}

void
door_close(struct door *door)
{
	struct stat st;

	/* Another master may have put its own there meanwhile. */
	if (lstat(door->path, &st) == 0 && st.st_dev == door->dev &&
	    st.st_ino == door->ino)
		(void)unlink(door->path);
	fd_close(&door->fd);
}
