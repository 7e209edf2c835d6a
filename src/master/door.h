/*
 * door.h - a UNIX socket that only its owner may open: mode 0600 from birth,
 * and SO_PEERCRED is asked who it is that enters.
 *
 * Runs in:    master
 * Owns:       the descriptor, and the file while it is still its own
 * After fork: CLOEXEC
 * Raises:     never
 */
#ifndef MASTER_DOOR_H
#define MASTER_DOOR_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <ev.h>

#include "base/fail.h"
#include "base/sockpath.h"

/* One of this user's, or root's, has come. */
typedef void door_enter(void *owner, int take_fd, const struct ucred *peer);

/* Which protocol is spoken behind it. */
struct door_kind {
	const char *what;     /* "control socket": for the log */
	int type;             /* SOCK_STREAM, SOCK_SEQPACKET */
	const char *stranger; /* the answer to a user who may not enter */
};
extern const struct door_kind door_of_control, door_of_leases;

struct door {
	int fd;
	const struct door_kind *kind;
	dev_t dev;
	ino_t ino;
	char path[SOCKPATH_MAX];
	struct ev_loop *loop; /* NULL = nobody watches it */
	door_enter *enter;
	void *owner;
	ev_io io;
	ev_timer pause; /* no descriptor was left to accept with */
};

/* A stale socket is replaced; a live one, and any other file, is refused. */
int door_open(struct door *, const char *path, int backlog,
    const struct door_kind *, struct fail *why);
/* One that was open before this program began. */
void door_resume(
    struct door *, int take_fd, const char *path, const struct door_kind *);
/* Its file becomes PATH.oldbin, or PATH again. */
void door_aside(struct door *, bool aside);
void door_watch(struct door *, struct ev_loop *, door_enter *, void *owner);
void door_refuse(int take_fd, const char *answer);
void door_close(struct door *);

#endif
