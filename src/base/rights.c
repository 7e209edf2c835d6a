/*
 * rights.c - one datagram with descriptors.
 */
#include "base/rights.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"

union control {
	struct cmsghdr align;
	char space[CMSG_SPACE(RIGHTS_MAX * sizeof(int))];
};

void
rights_close(const int *take_fds, int n)
{
	while (n > 0) {
		int fd = take_fds[--n];

		fd_close(&fd);
	}
}

int
rights_send(int fd, const void *bytes, size_t len, const int *fds, int n)
{
	size_t fds_size = (size_t)n * sizeof(int);
	struct iovec iov = { .iov_len = len };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	union control control;

	if (n < 0 || n > RIGHTS_MAX)
		return -EINVAL;
	/* sendmsg only reads, its struct cannot say so. */
	memcpy(&iov.iov_base, &bytes, sizeof(bytes));
	if (n > 0) {
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

/* A peer may send several control messages; all are its descriptors. */
static int
fds_take(struct msghdr *mh, int *give_fds)
{
	struct cmsghdr *cmsg;
	int n = 0;

	for (cmsg = CMSG_FIRSTHDR(mh); cmsg != NULL;
	     cmsg = CMSG_NXTHDR(mh, cmsg)) {
		size_t size;

		if (cmsg->cmsg_level != SOL_SOCKET ||
		    cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		size = cmsg->cmsg_len - CMSG_LEN(0);
		memcpy(give_fds + n, CMSG_DATA(cmsg), size);
		n += (int)(size / sizeof(int));
	}
	return n;
}

/* Bytes, 0 = EOF, -EAGAIN, -errno. */
static ssize_t
recv_one(int fd, struct msghdr *mh)
{
	size_t controllen = mh->msg_controllen;
	bool was_reset = false;

	for (;;) {
		ssize_t n;

		mh->msg_controllen = controllen;
		n = recvmsg(fd, mh, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
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
		return errno == EWOULDBLOCK ? -EAGAIN : -errno;
	}
}

ssize_t
rights_recv(int fd, void *bytes, size_t cap, int *give_fds, int *n)
{
	union control control;
	struct iovec iov = { bytes, cap };
	struct msghdr mh = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space) };
	ssize_t got;

	*n = 0;
	got = recv_one(fd, &mh);
	if (got < 0)
		return got;
	*n = fds_take(&mh, give_fds);
	if ((mh.msg_flags & (MSG_CTRUNC | MSG_TRUNC)) != 0)
		return -EPROTO;
	return got;
}
