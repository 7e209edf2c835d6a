/* conn.c - a connection's life around its requests. */
#include "rack/conn.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/forks.h"
#include "rack/depart.h"
#include "rack/rack.h"

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
	c->keep = c->is_tainted = c->is_silent = false;
	c->forks = forks_seen();
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

void
conn_count_sent(struct conn *c)
{
	rack_count(&c->rack->row->bytes_out, c->out.sent);
	c->out.sent = 0;
}

void
conn_close(struct conn *c)
{
	conn_count_sent(c);
	/*
	 * Not close alone: no copy of it in a child may hold the client, and
	 * what came unread would have the answer thrown away.
	 */
	if (!c->is_silent || c->forks != forks_seen())
		(void)shutdown(c->watch.fd, SHUT_RDWR);
	/* A child of the application's may hold a copy, and with it the entry.
	 */
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
	conn_count_sent(c);
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

	/* Where one came from, a proxy, others come from. */
	if (from->ss_family == AF_INET && c->remote_v4 != 0 &&
	    c->remote_v4 == v4->sin_addr.s_addr)
		return;
	c->remote_v4 = from->ss_family == AF_INET ? v4->sin_addr.s_addr : 0;
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

static void
on_event(struct loop_watch *watch, uint32_t events)
{
	struct conn *c =
	    (struct conn *)((char *)watch - offsetof(struct conn, watch));

	(void)events;
	switch (c->state) {
	case CONN_HEAD:
	case CONN_BODY:
		conn_enqueue(c);
		break;
	case CONN_FLUSH:
		depart_more(c);
		break;
	case CONN_LINGER:
		depart_linger_more(c);
		break;
	case CONN_BUSY:
	case CONN_GONE:
		break;
	}
}
