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
#include "base/rights.h"
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

_Static_assert(
    RFK_FDS_MAX == RIGHTS_MAX, "chan_get fills what rights_recv may");

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
		rights_close(q->fds, q->nfds);
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

int
chan_flush(struct chan *c)
{
	while (c->first != NULL) {
		struct queued *q = c->first;
		int rc = rights_send(c->fd, q->bytes, q->len, q->fds, q->nfds);

		if (rc < 0)
			return rc;
		c->first = q->next;
		if (c->first == NULL)
			c->last = &c->first;
		c->queued--;
		rights_close(q->fds, q->nfds);
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
		rc = rights_send(c->fd, bytes, (size_t)len, take_fds, nfds);
	if (rc == -EAGAIN) {
		rc = enqueue(c, bytes, (size_t)len, take_fds, nfds);
		if (rc == 0)
			return 0;
	}
out:
	rights_close(take_fds, nfds);
	return rc;
}

int
chan_get(struct chan *c, struct rfk_msg *msg, int *give_fds, int *nfds)
{
	ssize_t n = rights_recv(c->fd, c->in, sizeof(c->in), give_fds, nfds);
	int rc;

	if (n == -EAGAIN)
		return 0;
	if (n < 0)
		rc = (int)n;
	else if (n == 0)
		rc = -ECONNRESET;
	else
		rc = wire_decode(c->in, (size_t)n, *nfds, c->from, msg);
	if (rc < 0) {
		rights_close(give_fds, *nfds);
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
