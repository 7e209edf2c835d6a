/*
 * door.h - a UNIX socket that only its owner may open: mode 0600 from birth.
 *
 * Runs in:    master
 * Owns:       the descriptor, and the file while it is still its own
 * After fork: CLOEXEC
 * Raises:     never
 */
#ifndef MASTER_DOOR_H
#define MASTER_DOOR_H

#include <sys/types.h>

#include "base/fail.h"
#include "base/sockpath.h"

struct door {
	int fd;
	dev_t dev;
	ino_t ino;
	char path[SOCKPATH_MAX];
};

/* A stale socket is replaced; a live one, and any other file, is refused. */
int door_open(struct door *, const char *path, int backlog, struct fail *why);
void door_close(struct door *);

#endif
