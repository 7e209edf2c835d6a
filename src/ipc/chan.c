/*
 * chan.c - messages and descriptors over one SOCK_SEQPACKET end.
 *
 * The receive buffer is the channel's own, because tails are borrowed from it.
 * Messages that do not fit into the socket wait in a list with their
 * descriptors; later ones wait behind them, so that the order holds.
 */
#include "ipc/chan.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "ipc/wire.h"

/* A peer that was stopped reads nothing: the queue must not eat the master. */
#define QUEUE_MAX 1024

struct queued {
	struct queued *next;
	size_t len;
	int nfds;
	int fds[RFK_FDS_MAX];
	unsigned char bytes[];
};

struct chan {
	int fd;
	enum rfk_role from;
	struct queued *first;
	struct queued **last;
	int queued;
	unsigned char in[WIRE_MAX];
};

union control {
	char space[CMSG_SPACE(sizeof(int) * RFK_FDS_MAX)];
	struct cmsghdr align;
};

static void
fds_close(const int *take_fds, int nfds)
{
	int i;

	for (i = 0; i < nfds; i++) {
		int fd = take_fds[i];

		fd_close(&fd);
	}
}

int
chan_pair(int give_fd[2])
{
	/* Room for the largest message, whatever wmem_default says. */
	int size = 2 * (int)WIRE_MAX;
	int i;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
		0, give_fd) < 0)
		return -errno;
	for (i = 0; i < 2; i++)
		(void)setsockopt(give_fd[i], SOL_SOCKET, SO_SNDBUF, &size,
		    (socklen_t)sizeof(size));
	return 0;
}

struct chan *
chan_open(int take_fd, enum rfk_role from)
{
	struct chan *c = NULL;
	int rc;

	rc = fd_nonblock(take_fd, true);
	if (rc == 0)
		rc = fd_cloexec(take_fd, true);
	if (rc < 0) {
		errno = -rc;
		goto out;
	}
	/* Not calloc: a page of the buffer costs nothing until it is used. */
	c = malloc(sizeof(*c));
	if (c == NULL)
		goto out;
	c->fd = take_fd;
	c->from = from;
	c->first = NULL;
	c->last = &c->first;
	c->queued = 0;
	take_fd = -1;
out:
	fd_close(&take_fd);
	return c;
}

void
chan_close(struct chan *c)
{
	if (c == NULL)
		return;
	while (c->first != NULL) {
		struct queued *q = c->first;

		c->first = q->next;
		fds_close(q->fds, q->nfds);
		free(q);
	}
	fd_close(&c->fd);
	free(c);
}

int
chan_fd(const struct chan *c)
{
	return c->fd;
}

void
chan_from(struct chan *c, enum rfk_role from)
{
	c->from = from;
}

bool
chan_pending(const struct chan *c)
{
	return c->first != NULL;
}

/* 0, -EAGAIN, -errno. The descriptors stay the caller's. */
static int
send_one(int fd, const void *bytes, size_t len, const int *fds, int nfds)
{
	size_t fds_size = (size_t)nfds * sizeof(int);
	struct iovec iov = { .iov_len = len };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	union control control;

	/* sendmsg only reads, its struct cannot say so. */
	memcpy(&iov.iov_base, &bytes, sizeof(bytes));
	if (nfds > 0) {
		struct cmsghdr *cmsg;

		memset(&control, 0, sizeof(control));
		mh.msg_control = control.space;
		mh.msg_controllen = CMSG_SPACE(fds_size);
		cmsg = CMSG_FIRSTHDR(&mh);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(fds_size);
		memcpy(CMSG_DATA(cmsg), fds, fds_size);
	}
	while (sendmsg(fd, &mh, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
		if (errno == EINTR)
			continue;
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			return -EAGAIN;
		/* ECONNRESET: it has gone, and left messages of ours unread. */
		if (errno == ECONNRESET || errno == ECONNREFUSED ||
		    errno == ENOTCONN)
			return -EPIPE;
		return -errno;
	}
	return 0;
}

int
chan_flush(struct chan *c)
{
	while (c->first != NULL) {
		struct queued *q = c->first;
		int rc = send_one(c->fd, q->bytes, q->len, q->fds, q->nfds);

		if (rc < 0)
			return rc;
		c->first = q->next;
		if (c->first == NULL)
			c->last = &c->first;
		c->queued--;
		fds_close(q->fds, q->nfds);
		free(q);
	}
	return 0;
}

/* Owns the descriptors when it returns 0. */
static int
enqueue(struct chan *c, const void *bytes, size_t len, const int *fds, int nfds)
{
	struct queued *q;

	if (c->queued >= QUEUE_MAX)
		return -ENOBUFS;
	q = malloc(sizeof(*q) + len);
	if (q == NULL)
		return -ENOMEM;
	q->next = NULL;
	q->len = len;
	q->nfds = nfds;
	if (nfds > 0)
		memcpy(q->fds, fds, (size_t)nfds * sizeof(int));
	memcpy(q->bytes, bytes, len);
	*c->last = q;
	c->last = &q->next;
	c->queued++;
	return 0;
}

int
chan_put(
    struct chan *c, const struct rfk_msg *msg, const int *take_fds, int nfds)
{
	unsigned char bytes[WIRE_MAX];
	int len, rc;

	if (nfds < 0 || nfds > RFK_FDS_MAX) {
		rc = -EINVAL;
		goto out;
	}
	len = wire_encode(msg, bytes, sizeof(bytes));
	if (len < 0) {
		rc = len;
		goto out;
	}
	rc = chan_flush(c);
	if (rc == 0)
		rc = send_one(c->fd, bytes, (size_t)len, take_fds, nfds);
	if (rc == -EAGAIN) {
		rc = enqueue(c, bytes, (size_t)len, take_fds, nfds);
		if (rc == 0)
			return 0;
	}
out:
	fds_close(take_fds, nfds);
	return rc;
}

/* Takes the descriptors out of the control data: how many. */
static int
fds_received(struct msghdr *mh, int *give_fds)
{
	struct cmsghdr *cmsg;
	int n = 0;

	for (cmsg = CMSG_FIRSTHDR(mh); cmsg != NULL;
	     cmsg = CMSG_NXTHDR(mh, cmsg)) {
		size_t size;

		if (cmsg->cmsg_level != SOL_SOCKET ||
		    cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		/* One buffer's worth at most: `space` holds no more. */
		size = cmsg->cmsg_len - CMSG_LEN(0);
		memcpy(give_fds + n, CMSG_DATA(cmsg), size);
		n += (int)(size / sizeof(int));
	}
	return n;
}

/* Bytes, 0 = EOF, -errno. */
static ssize_t
recv_one(struct chan *c, struct msghdr *mh)
{
	size_t controllen = mh->msg_controllen;
	bool was_reset = false;

	for (;;) {
		ssize_t n;

		mh->msg_controllen = controllen;
		n = recvmsg(c->fd, mh, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
		if (n >= 0)
			return n;
		if (errno == EINTR)
			continue;
		/*
		 * A peer that dies with unread messages resets us, once, in
		 * front of what it had sent: its last words are still to come.
		 */
		if (errno == ECONNRESET && !was_reset) {
			was_reset = true;
			continue;
		}
		return -errno;
	}
}

int
chan_get(struct chan *c, struct rfk_msg *msg, int *give_fds, int *nfds)
{
	union control control;
	struct iovec iov = { c->in, sizeof(c->in) };
	struct msghdr mh = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space) };
	ssize_t n;
	int rc;

	*nfds = 0;
	n = recv_one(c, &mh);
	if (n == -EAGAIN || n == -EWOULDBLOCK)
		return 0;
	if (n < 0)
		return (int)n;
	*nfds = fds_received(&mh, give_fds);
	if (n == 0)
		rc = -ECONNRESET;
	else if ((mh.msg_flags & (MSG_CTRUNC | MSG_TRUNC)) != 0)
		rc = -EPROTO;
	else
		rc = wire_decode(c->in, (size_t)n, *nfds, c->from, msg);
	if (rc < 0) {
		fds_close(give_fds, *nfds);
		*nfds = 0;
		return rc;
	}
	return 1;
}

int
chan_wait(const struct chan *c, uint64_t until_ms)
{
	struct pollfd pfd = { .fd = c->fd, .events = POLLIN };

	for (;;) {
		uint64_t now_ms = clock_ms();
		uint64_t left_ms = until_ms > now_ms ? until_ms - now_ms : 0;
		int n =
		    poll(&pfd, 1, left_ms > INT_MAX ? INT_MAX : (int)left_ms);

		if (n > 0)
			return 1;
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0 && left_ms <= INT_MAX)
			return 0;
	}
}
