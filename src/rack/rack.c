/* rack.c - the kind of work that answers HTTP requests. */
#include "rack/rack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/forks.h"
#include "base/log.h"
#include "ipc/board.h"
#include "rack/arrive.h"
#include "rack/call.h"
#include "rack/conn.h"
#include "rack/depart.h"
#include "ruby/hooks.h"

#define LINGER_MS 2000
/* An idle sibling is looked for at most this often. */
#define SHED_LOOK_MS 5

void
rack_count(_Atomic uint64_t *counter, uint64_t n)
{
	/* One writer: no locked instruction is needed. */
	atomic_store_explicit(counter,
	    atomic_load_explicit(counter, memory_order_relaxed) + n,
	    memory_order_relaxed);
}

static bool
sibling_is_idle(const struct rack *r)
{
	uint32_t rows, i;
	const struct rfk_row *row =
	    board_pool_rows(r->self->board, r->row, &rows, NULL);

	for (i = 0; i < rows && rows > 2; i++, row++)
		if (row != r->row && atomic_load_explicit(&row->work,
					 memory_order_relaxed) == RFK_WORK_IDLE)
			return true;
	return false;
}

bool
rack_should_shed(struct rack *r)
{
	if (r->queued == 0)
		return false;
	if (r->loop->now_ms - r->shed_ms >= SHED_LOOK_MS) {
		r->shed_ms = r->loop->now_ms;
		r->sibling_idle = sibling_is_idle(r);
	}
	return r->sibling_idle;
}

static struct conn *
conn_of(struct loop_timer *t)
{
	return (struct conn *)((char *)t - offsetof(struct conn, timer));
}

/* A silent one is closed without a word; half a request is told why. */
static void
on_head_late(struct loop_timer *t)
{
	struct conn *c = conn_of(t);

	if (c->in.len == 0)
		conn_close(c);
	else
		depart_refuse(c, 408);
}

static void
on_body_late(struct loop_timer *t)
{
	depart_refuse(conn_of(t), 408);
}

/* A request that is just arriving is served first: events come before timers.
 */
static void
on_keep_late(struct loop_timer *t)
{
	struct conn *c = conn_of(t);

	if (!c->is_queued)
		depart_linger(c);
}

static void
on_write_late(struct loop_timer *t)
{
	conn_cut(conn_of(t));
}

static void
on_linger_late(struct loop_timer *t)
{
	conn_close(conn_of(t));
}

static void
lanes_open(struct rack *r)
{
	const struct rfk_settings_table *set = &r->self->settings;

	loop_lane(r->loop, &r->head_lane, (uint64_t)set->client_head_timeout,
	    on_head_late);
	loop_lane(r->loop, &r->body_lane, (uint64_t)set->client_body_timeout,
	    on_body_late);
	loop_lane(r->loop, &r->keep_lane, (uint64_t)set->keepalive_timeout,
	    on_keep_late);
	loop_lane(r->loop, &r->write_lane, (uint64_t)set->client_write_timeout,
	    on_write_late);
	loop_lane(r->loop, &r->linger_lane, LINGER_MS, on_linger_late);
}

static int
rack_open(struct worker *w)
{
	struct rack *r = calloc(1, sizeof(*r));
	size_t i;

	if (r == NULL)
		return -ENOMEM;
	worker_state_set(w, r);
	r->worker = w;
	r->self = worker_self(w);
	r->row = r->self->my_row;
	r->loop = worker_loop(w);
	r->queue_last = &r->queue;
	r->keepalive = r->self->settings.keepalive != 0;
	r->limits = (struct http_limits)HTTP_LIMITS_INIT;
	if (r->self->settings.http_compat)
		r->http_flags = HTTP_COMPAT_UNICORN;
	for (i = 0; i < r->self->nlisteners; i++) {
		struct sockaddr_storage at = { 0 };
		socklen_t len = (socklen_t)sizeof(at);

		r->is_unix[i] = getsockname(r->self->listeners[i],
				    (struct sockaddr *)&at, &len) == 0 &&
				at.ss_family == AF_UNIX;
	}
	r->is_patched = (hooks_patched() & HOOKS_CLIENT) != 0;
	forks_watch();
	lanes_open(r);
	return call_open(r);
}

/* Out of descriptors: the longest silent one makes room. */
static void
make_room(struct rack *r, int error)
{
	static uint64_t told_ms;
	struct loop_timer *t = r->keep_lane.list.next;

	if (r->loop->now_ms - told_ms >= 1000) {
		told_ms = r->loop->now_ms;
		log_error("accept: %s", strerror(error));
	}
	if (t != &r->keep_lane.list)
		depart_linger(conn_of(t));
}

static int
rack_acceptable(struct worker *w, int listener)
{
	struct rack *r = worker_state(w);
	int rc;

	if (r->queued > 0)
		return -EBUSY;
	rc = conn_accept(r, listener);
	if (rc < 0 && rc != -EINVAL)
		make_room(r, -rc);
	return rc;
}

static struct conn *
dequeue(struct rack *r)
{
	struct conn *c = r->queue;

	if (c == NULL)
		return NULL;
	r->queue = c->queue_next;
	if (r->queue == NULL)
		r->queue_last = &r->queue;
	r->queued--;
	c->is_queued = false;
	return c;
}

static bool
rack_step(struct worker *w)
{
	struct rack *r = worker_state(w);
	struct conn *c = dequeue(r);

	if (c == NULL)
		return false;
	if (c->state == CONN_GONE)
		conn_recycle(c);
	else if (arrive(c) == ARRIVE_COMPLETE)
		call_run(c);
	return true;
}

static void
silent_close(struct rack *r)
{
	struct conn *c, *next;

	for (c = r->conns; c != NULL; c = next) {
		next = c->next;
		if (!c->is_queued && conn_is_idle(c))
			conn_close(c);
	}
}

static void
rack_drain(struct worker *w, uint64_t until_ms)
{
	struct rack *r = worker_state(w);

	(void)until_ms;
	r->is_draining = true;
	if (worker_is_orphan(w))
		silent_close(r);
}

static bool
rack_drained(struct worker *w)
{
	struct rack *r = worker_state(w);

	if (worker_is_orphan(w))
		silent_close(r);
	return r->conns == NULL;
}

static size_t
rack_descriptors(struct worker *w, int *out, size_t cap)
{
	struct rack *r = worker_state(w);
	struct conn *c;
	size_t n = 0;

	for (c = r->conns; c != NULL && n < cap; c = c->next)
		out[n++] = c->watch.fd;
	return n;
}

static void
all_free(struct rack *r)
{
	struct conn *c, *next;

	while ((c = dequeue(r)) != NULL)
		if (c->state == CONN_GONE)
			conn_free(c);
	for (c = r->conns; c != NULL; c = next) {
		next = c->next;
		conn_drop(c);
	}
	for (c = r->spare; c != NULL; c = next) {
		next = c->next;
		conn_free(c);
	}
	free(r);
}

static void
rack_forked(struct worker *w)
{
	struct rack *r = worker_state(w);

	worker_state_set(w, NULL);
	all_free(r);
}

/* At the drain limit, or without a master: what is left is closed. */
static void
rack_close(struct worker *w)
{
	struct rack *r = worker_state(w);

	if (r == NULL)
		return;
	while (r->conns != NULL)
		conn_close(r->conns);
	worker_state_set(w, NULL);
	all_free(r);
}

const struct kind kind_rack = {
	.name = "rack",
	.open = rack_open,
	.acceptable = rack_acceptable,
	.step = rack_step,
	.drain = rack_drain,
	.drained = rack_drained,
	.descriptors = rack_descriptors,
	.forked = rack_forked,
	.close = rack_close,
};
