/* chan_ends.h - a master's and a mold's end of one channel, and what to send.
 */
#ifndef UNIT_CHAN_ENDS_H
#define UNIT_CHAN_ENDS_H

#include <check.h>
#include <stdbool.h>
#include <unistd.h>

#include "ipc/chan.h"

static struct chan *master, *mold;

static inline void
setup(void)
{
	int fds[2];

	ck_assert_int_eq(chan_pair(fds), 0);
	master = chan_open(fds[0], RFK_MOLD);
	mold = chan_open(fds[1], RFK_MASTER);
	ck_assert_ptr_nonnull(master);
	ck_assert_ptr_nonnull(mold);
}

static inline void
teardown(void)
{
	chan_close(master);
	chan_close(mold);
}

static inline struct rfk_msg
msg_fork(uint32_t slot)
{
	struct rfk_msg msg = { .type = RFK_MSG_FORK };

	msg.u.fork.slot = slot;
	return msg;
}

static inline struct rfk_msg
msg_spawned(uint32_t slot)
{
	struct rfk_msg msg = { .type = RFK_MSG_SPAWNED };

	msg.u.spawned.slot = slot;
	return msg;
}

/* Two ends of pipes, to be sent; their other ends stay here. */
static inline void
two_pipes(int here[2], int there[2])
{
	int i, p[2];

	for (i = 0; i < 2; i++) {
		ck_assert_int_eq(pipe(p), 0);
		here[i] = p[0];
		there[i] = p[1];
	}
}

static inline bool
is_eof(int fd)
{
	char c;

	return read(fd, &c, 1) == 0;
}

#endif
