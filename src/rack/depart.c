/* depart.c - what was answered goes to the client. */
#include "rack/depart.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>

#include <ruby/ruby.h>

#include "base/clock.h"
#include "base/log.h"
#include "http/format.h"
#include "rack/conn.h"
#include "rack/rack.h"
#include "ruby/vm.h"

/* The next request of a kept connection. */
static void
begin_again(struct conn *c)
{
	struct rack *r = c->rack;

	conn_count_sent(c);
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
		depart_linger(c);
	else
		conn_close(c);
}

void
depart(struct conn *c)
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

int
depart_error(struct conn *c, int status)
{
	static struct http_date date;

	if (c->rack->self->settings.personality != RFK_NATIVE)
		return format_error_bare(&c->out.buf, status);
	return format_error(&c->out.buf, status, &date, time(NULL));
}

void
depart_refuse(struct conn *c, int status)
{
	log_debug("a client of %s is refused with %d", c->remote, status);
	rack_count(&c->rack->row->refused, 1);
	loop_stop(&c->timer);
	c->keep = false;
	c->is_tainted = true;
	if (depart_error(c, status) < 0) {
		conn_close(c);
		return;
	}
	depart(c);
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
depart_wait_raises(struct conn *c, size_t most)
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
		/* Timeouts and Thread#raise are the application's: on they go.
		 */
		rb_thread_check_ints();
	}
}

void
depart_linger(struct conn *c)
{
	conn_count_sent(c);
	c->state = CONN_LINGER;
	if (shutdown(c->watch.fd, SHUT_WR) < 0 ||
	    loop_watch(c->rack->loop, &c->watch, EPOLLIN) < 0) {
		conn_close(c);
		return;
	}
	loop_start(c->rack->loop, &c->rack->linger_lane, &c->timer);
}

/* What it still says is read, so that its end is an EOF and not a reset. */
void
depart_linger_more(struct conn *c)
{
	char bytes[16384];
	ssize_t n;

	do
		n = recv(c->watch.fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	while (n > 0 || (n < 0 && errno == EINTR));
	if (n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK))
		conn_close(c);
}

void
depart_more(struct conn *c)
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
