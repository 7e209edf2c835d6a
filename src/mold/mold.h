/*
 * mold.h - a mold at work: its channel, and the children it forked.
 *
 * Runs in:    mold
 * Owns:       the children's pidfds, the poll set
 * After fork: a worker calls mold_fini: the siblings' pidfds are not its own
 * Raises:     never
 */
#ifndef MOLD_MOLD_H
#define MOLD_MOLD_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct self;

struct mold_child {
	int pidfd;
	pid_t pid;
	uint64_t token; /* of the FORK that made it */
	bool reported;  /* DIED is queued; reaped when it has been sent */
};

struct mold {
	struct self *self;
	int wake; /* borrowed: mold/wake.c's eventfd */
	struct mold_child *children;
	size_t nchildren;
	struct pollfd *fds; /* channel, wake, then one for each child */
	size_t room;        /* of both arrays, in children */
	pid_t stray;        /* seen dead at the last look, nobody's worker */
	uint64_t strays_ms;
	bool traps_term; /* before_fork has */
};

/* Takes the pidfd: 0, -ENOMEM. */
int mold_child_add(struct mold *, int take_pidfd, pid_t, uint64_t token);
/* Room for one more child, so that none is forked that cannot be kept. */
int mold_reserve(struct mold *);
void mold_fini(struct mold *);

#endif
