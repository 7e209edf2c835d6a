/* out.c - sends what it can, remembers the rest. */
#include "rack/out.h"

#include <errno.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

#include "base/fd.h"

#define IOV_MOST 64
#define KEEP_BYTES                                                             \
	65536 /* a larger buffer is given back after its response              \
	       */

void
out_init(struct out *o)
{
	memset(o, 0, sizeof(*o));
	o->file = -1;
}

void
out_fini(struct out *o)
{
	buf_fini(&o->buf);
	fd_close(&o->file);
}

void
out_reset(struct out *o)
{
	if (o->buf.cap > KEEP_BYTES)
		buf_fini(&o->buf);
	buf_reset(&o->buf);
	fd_close(&o->file);
	o->at = 0;
	o->file_left = o->sent = 0;
	o->is_last = false;
	o->error = 0;
}

size_t
out_pending(const struct out *o)
{
	return o->buf.len - o->at + (o->file_left > 0);
}

int
out_hold(struct out *o, const void *bytes, size_t len)
{
	if (o->error == 0)
		o->error = buf_put(&o->buf, bytes, len);
	return o->error;
}

/* Bytes the socket took, 0 when it is full, -errno. */
static ssize_t
send_some(struct out *o, int fd, struct iovec *iov, int n)
{
	struct msghdr mh = { .msg_iov = iov, .msg_iovlen = (size_t)n };
	int flags = MSG_NOSIGNAL | MSG_DONTWAIT | (o->is_last ? MSG_MORE : 0);
	ssize_t sent;

	do
		sent = sendmsg(fd, &mh, flags);
	while (sent < 0 && errno == EINTR);
	if (sent >= 0) {
		o->sent += (uint64_t)sent;
		return sent;
	}
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return 0;
	return o->error = -errno;
}

static void
held_sent(struct out *o, size_t n)
{
	o->at += n;
	if (o->at == o->buf.len) {
		o->at = 0;
		buf_reset(&o->buf);
	}
}

/* What was held goes first, in the same call. */
static int
put_some(struct out *o, int fd, const struct iovec *iov, int n)
{
	struct iovec all[IOV_MOST];
	size_t held = o->buf.len - o->at, sent;
	int m = 0, i;
	ssize_t rc;

	if (held > 0)
		all[m++] = (struct iovec){ o->buf.data + o->at, held };
	memcpy(all + m, iov, (size_t)n * sizeof(*iov));
	rc = send_some(o, fd, all, m + n);
	if (rc < 0)
		return (int)rc;
	sent = (size_t)rc;
	if (held > 0) {
		size_t first = sent < held ? sent : held;

		held_sent(o, first);
		sent -= first;
	}
	for (i = 0; i < n && o->error == 0; i++) {
		size_t gone = sent < iov[i].iov_len ? sent : iov[i].iov_len;

		sent -= gone;
		if (gone < iov[i].iov_len)
			o->error = buf_put(&o->buf,
			    (const char *)iov[i].iov_base + gone,
			    iov[i].iov_len - gone);
	}
	return o->error;
}

int
out_put(struct out *o, int fd, const struct iovec *iov, int n)
{
	while (o->error == 0 && n > 0) {
		int some = n < IOV_MOST - 1 ? n : IOV_MOST - 1;

		(void)put_some(o, fd, iov, some);
		iov += some;
		n -= some;
	}
	return o->error;
}

void
out_file(struct out *o, int take_file, off_t at, uint64_t len)
{
	fd_close(&o->file);
	o->file = take_file;
	o->file_at = at;
	o->file_left = len;
}

/* A file that has become shorter is an error: its length was promised. */
static int
file_flush(struct out *o, int fd)
{
	while (o->file_left > 0) {
		size_t most =
		    o->file_left < (1u << 20) ? (size_t)o->file_left : 1u << 20;
		ssize_t n = sendfile(fd, o->file, &o->file_at, most);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return -EAGAIN;
		if (n <= 0)
			return o->error = n < 0 ? -errno : -EIO;
		o->file_left -= (uint64_t)n;
		o->sent += (uint64_t)n;
	}
	fd_close(&o->file);
	return 0;
}

int
out_flush(struct out *o, int fd)
{
	while (o->error == 0 && o->buf.len > o->at) {
		struct iovec iov = { o->buf.data + o->at, o->buf.len - o->at };
		ssize_t n = send_some(o, fd, &iov, 1);

		if (n < 0)
			return o->error;
		if (n == 0)
			return -EAGAIN;
		held_sent(o, (size_t)n);
	}
	if (o->error == 0 && o->file_left > 0)
		return file_flush(o, fd);
	return o->error;
}
