/*
 * door.c - a UNIX socket that only its owner may open, and who enters.
 */
#include "master/door.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"

const struct door_kind door_of_control = { "control socket", SOCK_STREAM,
	"end 1 not your master\n" };
const struct door_kind door_of_leases = { "lease socket", SOCK_SEQPACKET,
	"ERR code=denied text=not%20your%20master" };

static int
address_set(struct sockaddr_un *address, const char *path, const char *what,
    struct fail *why)
{
	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(address->sun_path))
		return fail_set(why, ENAMETOOLONG,
		    "the %s's path is too long (> 107 bytes): %s", what, path);
	memcpy(address->sun_path, path, strlen(path) + 1);
	return 0;
}

/* What a master that was killed has left is removed, and nothing else is. */
static int
make_room(const struct sockaddr_un *address, const struct door_kind *kind,
    struct fail *why)
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
	fd = socket(AF_UNIX, kind->type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail_set(why, errno, "socket: %s", strerror(errno));
	error =
	    connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0
		? errno
		: 0;
	fd_close(&fd);
	if (error != ECONNREFUSED)
		return fail_set(why, EADDRINUSE,
		    "another process answers at the %s %s (stop it, or "
		    "choose another path with `control`)",
		    kind->what, path);
	return unlink(path) < 0 ? fail_set(why, errno, "unlink %s: %s", path,
				      strerror(errno))
				: 0;
}

/* The umask makes it 0600 from birth; the master has no other thread. */
static int
door_bind(int fd, const struct sockaddr_un *address, int backlog,
    const char *what, struct fail *why)
{
	mode_t umask_before = umask(0177);
	int rc = bind(fd, (const struct sockaddr *)address, sizeof(*address));
	int error = rc < 0 ? errno : 0;

	(void)umask(umask_before);
	if (error == 0 && listen(fd, backlog) < 0)
		error = errno;
	return error == 0 ? 0
			  : fail_set(why, error, "%s %s: %s", what,
				address->sun_path, strerror(error));
}

static int
door_make(struct door *door, const struct sockaddr_un *address, int backlog,
    struct fail *why)
{
	struct stat st;
	int rc;

	door->fd =
	    socket(AF_UNIX, door->kind->type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (door->fd < 0)
		return fail_set(why, errno, "socket: %s", strerror(errno));
	rc = door_bind(door->fd, address, backlog, door->kind->what, why);
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
door_open(struct door *door, const char *path, int backlog,
    const struct door_kind *kind, struct fail *why)
{
	struct sockaddr_un address;
	int rc;

	memset(door, 0, sizeof(*door));
	door->fd = -1;
	door->kind = kind;
	rc = address_set(&address, path, kind->what, why);
	if (rc == 0)
		rc = make_room(&address, kind, why);
	if (rc == 0)
		rc = door_make(door, &address, backlog, why);
	if (rc < 0)
		fd_close(&door->fd);
	return rc;
}

void
door_resume(struct door *door, int take_fd, const char *path,
    const struct door_kind *kind)
{
	struct stat st;

	memset(door, 0, sizeof(*door));
	door->fd = take_fd;
	door->kind = kind;
	(void)fd_cloexec(take_fd, true);
	snprintf(door->path, sizeof(door->path), "%s", path);
	if (lstat(path, &st) == 0) {
		door->dev = st.st_dev;
		door->ino = st.st_ino;
	}
}

/* One line and out: it is small enough for any socket that was just made. */
void
door_refuse(int take_fd, const char *answer)
{
	(void)send(
	    take_fd, answer, strlen(answer), MSG_NOSIGNAL | MSG_DONTWAIT);
	fd_close(&take_fd);
}

/* The file's mode keeps others out, until somebody changes it. */
static void
accepted(struct door *door, int take_fd)
{
	struct ucred peer = { .uid = (uid_t)-1 };
	socklen_t len = sizeof(peer);

	if (getsockopt(take_fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 ||
	    (peer.uid != geteuid() && peer.uid != 0)) {
		log_warn("%s: uid %u pid %d was refused", door->kind->what,
		    (unsigned int)peer.uid, (int)peer.pid);
		door_refuse(take_fd, door->kind->stranger);
		return;
	}
	door->enter(door->owner, take_fd, &peer);
}

static void
on_pause(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct door *door = timer->data;

	(void)events;
	ev_io_start(loop, &door->io);
}

static void
on_knock(struct ev_loop *loop, ev_io *io, int events)
{
	struct door *door = io->data;
	int fd;

	(void)events;
	fd = accept4(door->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0) {
		accepted(door, fd);
	} else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
		   errno == ENOMEM) {
		/* The connection stays queued: without a pause this spins. */
		ev_io_stop(loop, io);
		ev_timer_set(&door->pause, 1., 0.);
		ev_timer_start(loop, &door->pause);
	}
}

void
door_watch(
    struct door *door, struct ev_loop *loop, door_enter *enter, void *owner)
{
	door->loop = loop;
	door->enter = enter;
	door->owner = owner;
	ev_timer_init(&door->pause, on_pause, 1., 0.);
	ev_io_init(&door->io, on_knock, door->fd, EV_READ);
	door->pause.data = door->io.data = door;
	ev_io_start(loop, &door->io);
}

void
door_close(struct door *door)
{
	struct stat st;

	if (door->loop != NULL) {
		ev_io_stop(door->loop, &door->io);
		ev_timer_stop(door->loop, &door->pause);
	}
	/* Another master may have put its own there meanwhile. */
	if (lstat(door->path, &st) == 0 && st.st_dev == door->dev &&
	    st.st_ino == door->ino)
		(void)unlink(door->path);
	fd_close(&door->fd);
}

void
door_aside(struct door *door, bool aside)
{
	static const char suffix[] = ".oldbin";
	char *path, other[sizeof(door->path)];
	size_t len;

	path = door->path;
	len = strlen(path);
	if (aside && len + sizeof(suffix) > 108)
		return;
	if (!aside && (len < sizeof(suffix) ||
			  strcmp(path + len + 1 - sizeof(suffix), suffix) != 0))
		return;
	if (aside)
		snprintf(other, sizeof(other), "%s%s", path, suffix);
	else
		snprintf(other, sizeof(other), "%.*s",
		    (int)(len + 1 - sizeof(suffix)), path);
	if (rename(path, other) < 0)
		log_warn("control socket %s: %s", other, strerror(errno));
	else
		memcpy(path, other, sizeof(other));
}
