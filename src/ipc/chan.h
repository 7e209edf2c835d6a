/*
 * chan.h - a queue of messages and descriptors over one socketpair end
 * (AF_UNIX, SOCK_SEQPACKET, non-blocking).
 *
 * It knows no loop: whoever owns one watches chan_fd for reading, and for
 * writing while chan_pending says so.
 *
 * Runs in:    master, mold, worker
 * Owns:       its fd, and each queued fd until it is sent
 * After fork: the child calls chan_close on every channel but its own
 * Raises:     never
 */
#ifndef IPC_CHAN_H
#define IPC_CHAN_H

#include <stdbool.h>

#include <reforkd/proto.h>

struct chan; /* opaque */

int chan_pair(int give_fd[2]); /* 0, -errno; CLOEXEC, SEQPACKET */

/* `from` is the role of the other end. Closes take_fd when it returns NULL. */
struct chan *chan_open(int take_fd, enum rfk_role from);
void chan_close(struct chan *); /* NULL is fine */
int chan_fd(const struct chan *);
void chan_from(struct chan *, enum rfk_role from); /* a worker became a mold */

/*
 * Sends now, or queues when the socket is full. take_fds are closed by the
 * channel, also on failure. 0, or -errno (-EPIPE: the other end has gone;
 * -ENOBUFS: it has read nothing for a thousand messages).
 */
int chan_put(
    struct chan *, const struct rfk_msg *, const int *take_fds, int nfds);
bool chan_pending(const struct chan *);
int chan_flush(struct chan *); /* 0 = all sent, -EAGAIN, -errno */

/*
 * 1 = a message; give_fds[RFK_FDS_MAX] holds *nfds descriptors that the caller
 * must close (CLOEXEC is set). 0 = none now. -ECONNRESET = the other end has
 * closed. -EPROTO = it broke the protocol: close it; any fds are closed.
 */
int chan_get(struct chan *, struct rfk_msg *, int *give_fds, int *nfds);

/* Waits (blocking) until readable or until_ms (clock_ms): 1, 0 = time is up. */
int chan_wait(const struct chan *, uint64_t until_ms);

#endif
