/* conn.c - a connection's life around its requests. */
#include "rack/conn.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "http/format.h"
#include "rack/rack.h"
#include "ruby/vm.h"

#include <ruby/ruby.h>

#define READ_BYTES 4096
#define BODY_READ_BYTES 65536
/* Turns of one body before others get theirs. */
#define BODY_READS 16
#define SPARE_MOST 64
#define KEEP_IN_BYTES 16384

static void on_event(struct loop_watch *, uint32_t);

static struct conn *
conn_make(struct rack *r)
{
	struct conn *c = r->spare;

	if (c != NULL) {
		r->spare = c->next;
		r->nspare--;
	} else {
		c = calloc(1, sizeof(*c));
		if (c == NULL)
			return NULL;
		out_init(&c->out);
		request_init(&c->req);
	}
	c->rack = r;
	c->watch.on = on_event;
	c->prev = NULL;
	c->next = r->conns;
	if (r->conns != NULL)
		r->conns->prev = c;
	r->conns = c;
	c->state = CONN_HEAD;
	c->keep = c->is_tainted = false;
	c->served = 0;
	return c;
}

void
conn_free(struct conn *c)
{
	out_fini(&c->out);
	request_fini(&c->req);
	buf_fini(&c->in);
	free(c);
}

void
conn_recycle(struct conn *c)
{
	struct rack *r = c->rack;

	if (r->nspare >= SPARE_MOST) {
		conn_free(c);
		return;
	}
	if (c->in.cap > KEEP_IN_BYTES)
		buf_fini(&c->in);
	buf_reset(&c->in);
	out_reset(&c->out);
	request_reset(&c->req);
	c->next = r->spare;
	r->spare = c;
	r->nspare++;
}

/* The descriptor is closed or given away by the caller. */
static void
unlink_conn(struct conn *c)
{
	struct rack *r = c->rack;

	loop_stop(&c->timer);
	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		r->conns = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	c->prev = c->next = NULL;
	c->state = CONN_GONE;
	atomic_store_explicit(&r->row->kept,
	    atomic_load_explicit(&r->row->kept, memory_order_relaxed) - 1,
	    memory_order_relaxed);
	if (!c->is_queued)
		conn_recycle(c);
}

static void
bytes_count(struct conn *c)
{
	rack_count(&c->rack->row->bytes_out, c->out.sent);
	c->out.sent = 0;
}

void
conn_close(struct conn *c)
{
	bytes_count(c);
	/* Not close alone: no copy of it in a child may hold the client. */
	(void)shutdown(c->watch.fd, SHUT_RDWR);
	/* A child of the application's may hold a copy, and with it the entry. */
	loop_unwatch(c->rack->loop, &c->watch);
	fd_close(&c->watch.fd);
	unlink_conn(c);
}

void
conn_gone(struct conn *c)
{
	unlink_conn(c);
}

void
conn_cut(struct conn *c)
{
	struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

	/* A reset: an answer without a length would pass for a whole one. */
	(void)setsockopt(c->watch.fd, SOL_SOCKET, SO_LINGER, &at_once,
	    (socklen_t)sizeof(at_once));
	bytes_count(c);
	loop_unwatch(c->rack->loop, &c->watch);
	fd_close(&c->watch.fd);
	unlink_conn(c);
}

int
conn_give_fd(struct conn *c)
{
	int fd = c->watch.fd;

	loop_unwatch(c->rack->loop, &c->watch);
	c->watch.fd = -1;
	return fd;
}

void
conn_drop(struct conn *c)
{
	fd_close(&c->watch.fd);
	conn_free(c);
}

bool
conn_is_idle(const struct conn *c)
{
	return c->state == CONN_HEAD && c->in.len == 0;
}

void
conn_enqueue(struct conn *c)
{
	struct rack *r = c->rack;

	if (c->is_queued)
		return;
	c->is_queued = true;
	c->ready_us = clock_us();
	c->queue_next = NULL;
	*r->queue_last = c;
	r->queue_last = &c->queue_next;
	r->queued++;
}

static void
remote_set(struct conn *c, const struct sockaddr_storage *from)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)from;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)from;
	const char *text = NULL;

	if (from->ss_family == AF_INET)
		text = inet_ntop(AF_INET, &v4->sin_addr, c->remote,
		    (socklen_t)sizeof(c->remote));
	else if (from->ss_family == AF_INET6)
		text = inet_ntop(AF_INET6, &v6->sin6_addr, c->remote,
		    (socklen_t)sizeof(c->remote));
	if (text == NULL)
		snprintf(c->remote, sizeof(c->remote), "127.0.0.1");
}

int
conn_accept(struct rack *r, int listener)
{
	struct sockaddr_storage from = { 0 };
	socklen_t len = (socklen_t)sizeof(from);
	struct conn *c;
	int fd;

	do
		fd = accept4(r->self->listeners[listener],
		    (struct sockaddr *)&from, &len,
		    SOCK_CLOEXEC | SOCK_NONBLOCK);
	while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
	if (fd < 0)
		return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -errno;
	c = conn_make(r);
	if (c == NULL) {
		fd_close(&fd);
		return -ENOMEM;
	}
	c->watch.fd = fd;
	c->is_unix = r->is_unix[listener];
	remote_set(c, &from);
	rack_count(&r->row->accepted, 1);
	atomic_store_explicit(&r->row->kept,
	    atomic_load_explicit(&r->row->kept, memory_order_relaxed) + 1,
	    memory_order_relaxed);
	conn_enqueue(c);
	return 1;
}

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

static enum conn_progress
wait_readable(struct conn *c, struct loop_lane *lane, bool restart)
{
	if (restart || c->timer.next == NULL)
		loop_start(c->rack->loop, lane, &c->timer);
	if (loop_watch(c->rack->loop, &c->watch, EPOLLIN) < 0) {
		conn_close(c);
		return CONN_ENDED;
	}
	return CONN_MORE;
}

/* -status of request_head and request_body. */
static enum conn_progress
refused(struct conn *c, int rc)
{
	conn_refuse(c, -rc);
	return CONN_ENDED;
}

static enum conn_progress
complete(struct conn *c)
{
	loop_stop(&c->timer);
	c->state = CONN_BUSY;
	return CONN_COMPLETE;
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
static enum conn_progress
body_complete(struct conn *c)
{
	struct rack *r = c->rack;

	if (http_head_parse(c->in.data, c->req.head_len, r->http_flags,
		&r->limits, &r->head) != 0)
		return refused(c, -400);
	return complete(c);
}

static enum conn_progress
read_body(struct conn *c)
{
	static char bytes[BODY_READ_BYTES];
	bool came = false;
	int i, rc;

	for (i = 0; i < BODY_READS; i++) {
		size_t used;
		ssize_t n = receive(
		    c, bytes, request_wants(&c->req, sizeof(bytes)));

		if (n < 0) {
			conn_close(c);
			return CONN_ENDED;
		}
		if (n == 0)
			break;
		came = true;
		rc = request_body(&c->req, &c->rack->self->settings, bytes,
		    (size_t)n, &used);
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

static enum conn_progress
head_complete(struct conn *c)
{
	int rc;

	if (!c->req.has_body)
		return complete(c);
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
		return CONN_ENDED;
	}
	return read_body(c);
}

static enum conn_progress
read_head(struct conn *c)
{
	bool was_idle = c->in.len == 0;
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
			return CONN_ENDED;
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

enum conn_progress
conn_read(struct conn *c)
{
	if (c->state == CONN_HEAD)
		return read_head(c);
	if (c->state == CONN_BODY)
		return read_body(c);
	return CONN_MORE;
}

/* The next request of a kept connection. */
static void
begin_again(struct conn *c)
{
	struct rack *r = c->rack;

	bytes_count(c);
	buf_drop(&c->in, c->req.head_len);
	request_reset(&c->req);
	out_reset(&c->out);
	c->served++;
	c->state = CONN_HEAD;
	if (c->in.len > 0) {
		loop_start(r->loop, &r->head_lane, &c->timer);
		conn_enqueue(c);
		return;
	}
	loop_start(r->loop, &r->keep_lane, &c->timer);
	if (loop_watch(r->loop, &c->watch, EPOLLIN) < 0)
		conn_close(c);
}

static void
end(struct conn *c)
{
	if (c->keep)
		begin_again(c);
	else if (c->is_tainted || c->in.len > c->req.head_len)
		conn_linger(c);
	else
		conn_close(c);
}

void
conn_answered(struct conn *c)
{
	int rc;

	c->out.is_last = !c->keep && c->out.file < 0;
	rc = out_flush(&c->out, c->watch.fd);
	if (rc == 0) {
		end(c);
		return;
	}
	if (rc != -EAGAIN) {
		/* The client has gone: nothing to say. -EIO is our own file. */
		if (rc == -EIO)
			log_error("a file became shorter while it was sent");
		conn_cut(c);
		return;
	}
	c->state = CONN_FLUSH;
	loop_start(c->rack->loop, &c->rack->write_lane, &c->timer);
	if (loop_watch(c->rack->loop, &c->watch, EPOLLOUT) < 0)
		conn_cut(c);
}

void
conn_refuse(struct conn *c, int status)
{
	static struct http_date date;

	log_debug("a client of %s is refused with %d", c->remote, status);
	rack_count(&c->rack->row->refused, 1);
	loop_stop(&c->timer);
	c->keep = false;
	c->is_tainted = true;
	if (format_error(&c->out.buf, status, &date, time(NULL)) < 0) {
		conn_close(c);
		return;
	}
	conn_answered(c);
}

struct waiting {
	int fd;
	int timeout_ms;
	int n;
};

static void *
poll_without_gvl(void *p)
{
	struct waiting *w = p;
	struct pollfd pfd = { .fd = w->fd, .events = POLLOUT };

	w->n = poll(&pfd, 1, w->timeout_ms);
	return NULL;
}

int
conn_wait_sent_raises(struct conn *c, size_t most)
{
	uint64_t limit_ms = c->rack->write_lane.after_ms;
	uint64_t since_ms = clock_ms();
	uint64_t sent = c->out.sent;

	for (;;) {
		struct waiting w = { .fd = c->watch.fd, .timeout_ms = 1000 };
		int rc = out_flush(&c->out, c->watch.fd);

		if (rc != -EAGAIN)
			return rc;
		if (out_pending(&c->out) <= most)
			return 0;
		if (c->out.sent != sent) {
			sent = c->out.sent;
			since_ms = clock_ms();
		}
		if (clock_ms() - since_ms >= limit_ms)
			return c->out.error = -ETIMEDOUT;
		vm_without_gvl(poll_without_gvl, &w);
		/* Timeouts and Thread#raise are the application's: on they go. */
		rb_thread_check_ints();
	}
}

void
conn_linger(struct conn *c)
{
	bytes_count(c);
	c->state = CONN_LINGER;
	if (shutdown(c->watch.fd, SHUT_WR) < 0 ||
	    loop_watch(c->rack->loop, &c->watch, EPOLLIN) < 0) {
		conn_close(c);
		return;
	}
	loop_start(c->rack->loop, &c->rack->linger_lane, &c->timer);
}

/* What it still says is read, so that its end is an EOF and not a reset. */
static void
linger_read(struct conn *c)
{
	char bytes[16384];
	ssize_t n;

	do
		n = recv(c->watch.fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	while (n > 0 || (n < 0 && errno == EINTR));
	if (n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK))
		conn_close(c);
}

static void
flush_more(struct conn *c)
{
	uint64_t before = c->out.sent;
	int rc = out_flush(&c->out, c->watch.fd);

	if (rc == 0) {
		loop_stop(&c->timer);
		end(c);
	} else if (rc != -EAGAIN) {
		conn_cut(c);
	} else if (c->out.sent != before) {
		loop_start(c->rack->loop, &c->rack->write_lane, &c->timer);
	}
}

static void
on_event(struct loop_watch *watch, uint32_t events)
{
	struct conn *c = (struct conn *)((char *)watch -
	    offsetof(struct conn, watch));

	(void)events;
	switch (c->state) {
	case CONN_HEAD:
	case CONN_BODY:
		conn_enqueue(c);
		break;
	case CONN_FLUSH:
		flush_more(c);
		break;
	case CONN_LINGER:
		linger_read(c);
		break;
	case CONN_BUSY:
	case CONN_GONE:
		break;
	}
}
