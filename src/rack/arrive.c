/* arrive.c - bytes become a request. */
#include "rack/arrive.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "http/format.h"
#include "rack/conn.h"
#include "rack/depart.h"
#include "rack/rack.h"

#define READ_BYTES 4096
#define BODY_READ_BYTES 65536
/* Turns of one body before others get theirs. */
#define BODY_READS 16
/* Between a client's connect and its request lie some microseconds. */
#define FIRST_BYTES_MS 1

/* Bytes, 0 = none now, -EPIPE = it has closed, -errno. */
static ssize_t
receive(struct conn *c, void *into, size_t most)
{
	ssize_t n;

	do
		n = recv(c->watch.fd, into, most, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n == 0)
		return -EPIPE;
	if (n < 0)
		return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -errno;
	rack_count(&c->rack->row->bytes_in, (uint64_t)n);
	return n;
}

static enum arrival
wait_readable(struct conn *c, struct loop_lane *lane, bool restart)
{
	if (restart || c->timer.next == NULL)
		loop_start(c->rack->loop, lane, &c->timer);
	if (loop_watch(c->rack->loop, &c->watch, EPOLLIN) < 0) {
		conn_close(c);
		return ARRIVE_ENDED;
	}
	return ARRIVE_MORE;
}

/* -status of request_head and request_body. */
static enum arrival
refused(struct conn *c, int rc)
{
	depart_refuse(c, -rc);
	return ARRIVE_ENDED;
}

static enum arrival
complete(struct conn *c)
{
	loop_stop(&c->timer);
	c->state = CONN_BUSY;
	return ARRIVE_COMPLETE;
}

/* What was read behind the head is body, and what is behind that stays. */
static int
body_from_head(struct conn *c)
{
	size_t behind = c->in.len - c->req.head_len, used;
	char *from = c->in.data + c->req.head_len;
	int rc = request_body(
	    &c->req, &c->rack->self->settings, from, behind, &used);

	if (rc >= 0 && used > 0) {
		memmove(from, from + used, behind - used);
		c->in.len -= used;
	}
	return rc;
}

/* Only when the body is really waited for: it may have come along. */
static int
continue_send(struct conn *c)
{
	if (!c->req.expects_continue || c->req.body_len > 0)
		return 0;
	c->req.expects_continue = false;
	if (format_continue(&c->out.buf) < 0)
		return -ENOMEM;
	return out_flush(&c->out, c->watch.fd);
}

/* The head's slices died with the reads since: they are made again. */
static enum arrival
body_complete(struct conn *c)
{
	struct rack *r = c->rack;

	if (http_head_parse(c->in.data, c->req.head_len, r->http_flags,
		&r->limits, &r->head) != 0)
		return refused(c, -400);
	return complete(c);
}

static enum arrival
read_body(struct conn *c)
{
	static char bytes[BODY_READ_BYTES];
	bool came = false;
	int i, rc;

	for (i = 0; i < BODY_READS; i++) {
		size_t used;
		ssize_t n =
		    receive(c, bytes, request_wants(&c->req, sizeof(bytes)));

		if (n < 0) {
			conn_close(c);
			return ARRIVE_ENDED;
		}
		if (n == 0)
			break;
		came = true;
		rc = request_body(
		    &c->req, &c->rack->self->settings, bytes, (size_t)n, &used);
		if (rc < 0)
			return refused(c, rc);
		if (used < (size_t)n &&
		    buf_put(&c->in, bytes + used, (size_t)n - used) < 0)
			return refused(c, -503);
		if (rc > 0)
			return body_complete(c);
	}
	return wait_readable(c, &c->rack->body_lane, came);
}

/* The application waits for the rest, if it wants it. */
static enum arrival
stream_body(struct conn *c)
{
	int rc;

	c->req.is_streamed = true;
	rc = body_from_head(c);
	if (rc < 0)
		return refused(c, rc);
	if (rc > 0)
		c->req.is_streamed = false; /* nothing is left to wait for */
	return complete(c);
}

static enum arrival
head_complete(struct conn *c)
{
	int rc;

	if (!c->req.has_body)
		return complete(c);
	if (c->rack->self->settings.rewindable_input == 0)
		return stream_body(c);
	loop_stop(&c->timer);
	c->state = CONN_BODY;
	rc = body_from_head(c);
	if (rc < 0)
		return refused(c, rc);
	if (rc > 0)
		return body_complete(c);
	rc = continue_send(c);
	if (rc < 0 && rc != -EAGAIN) {
		conn_close(c);
		return ARRIVE_ENDED;
	}
	return read_body(c);
}

/*
 * Who has just connected is about to ask. Were the next client accepted
 * meanwhile, it would wait behind this one's request, be others idle or not.
 */
static bool
is_about_to_ask(const struct conn *c)
{
	struct pollfd pfd = { .fd = c->watch.fd, .events = POLLIN };

	return c->served == 0 && c->in.len == 0 && c->timer.next == NULL &&
	       poll(&pfd, 1, FIRST_BYTES_MS) > 0;
}

static enum arrival
read_head(struct conn *c)
{
	bool was_idle = c->in.len == 0;
	bool is_first = true;
	int rc = 0;

	/* The first look is at what came behind the last request. */
	if (!was_idle && c->req.searched == 0)
		rc = request_head(&c->req, c->rack, &c->in);
	while (rc == 0) {
		ssize_t n;

		if (buf_reserve(&c->in, READ_BYTES) < 0)
			return refused(c, -503);
		n = receive(c, c->in.data + c->in.len, c->in.cap - c->in.len);
		if (n < 0) {
			conn_close(c);
			return ARRIVE_ENDED;
		}
		if (n == 0 && is_first && is_about_to_ask(c)) {
			is_first = false;
			continue;
		}
		if (n == 0)
			return wait_readable(c,
			    was_idle && c->in.len == 0 && c->served > 0
				? &c->rack->keep_lane
				: &c->rack->head_lane,
			    was_idle && c->in.len > 0);
		c->in.len += (size_t)n;
		rc = request_head(&c->req, c->rack, &c->in);
	}
	if (rc < 0)
		return refused(c, rc);
	return head_complete(c);
}

enum arrival
arrive(struct conn *c)
{
	if (c->state == CONN_HEAD)
		return read_head(c);
	if (c->state == CONN_BODY)
		return read_body(c);
	return ARRIVE_MORE;
}
