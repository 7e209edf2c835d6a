/*
 * listen.c - the listeners of one worker: who is accepted, and the last call.
 *
 * A draining worker leaves the listeners to the others, but for those that
 * nobody will accept from later: all of them at a full stop, and those that a
 * reload has dropped. These it serves until they are empty (base/cutoff.h).
 *
 * With EPOLLEXCLUSIVE the kernel tells one sleeper of a connection and no
 * other. So that one may not go without having accepted: the connection would
 * wait until the next one comes. Hence a draining worker accepts once more at
 * each listener, and one that has slept for long looks whether somebody was
 * told and has died.
 */
#include "worker/worker.h"

#include <errno.h>
#include <stddef.h>
#include <sys/socket.h>

#include "base/cutoff.h"
#include "base/fault.h"
#include "base/fd.h"
#include "ipc/board.h"
#include "worker/queues.h"

static void
on_listener(struct loop_watch *watch, uint32_t events)
{
	struct worker *w;
	struct loop_watch *first = watch;

	(void)events;
	first -= (size_t)watch->tag;
	w = (struct worker *)((char *)first -
			      offsetof(struct worker, listeners));
	/* Another one's turn comes when this one is done: level-triggered. */
	if (w->acceptable < 0 || w->acceptable == w->accepted_last)
		w->acceptable = watch->tag;
}

/*
 * A reload's new address listens from here on: who is queued by the kernel has
 * a worker that will serve, and no failure before this one leaves him behind.
 */
static int
listen_begin(int fd)
{
	int listens = 0;
	socklen_t len = sizeof(listens);

	if (cutoff_begun(fd)) /* TCP's, shut down, does not listen any more */
		return 0;
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) < 0)
		return -errno;
	return listens == 0 && listen(fd, SOMAXCONN) < 0 ? -errno : 0;
}

/* Is the i-th listener this worker's to serve? */
static bool
is_mine(const struct worker *w, size_t i)
{
	const struct self *self = w->self;
	const struct rfk_listen *l = &self->settings.listen[i];

	if (i >= self->npooled || i >= self->settings.listens || l->queues <= 1)
		return true;
	return queue_is_mine((uint32_t)l->queue, (uint32_t)l->queues,
	    (uint32_t)l->queues_per_worker, self->slot, w->shared_by);
}

static uint32_t
workers_now(const struct worker *w)
{
	uint32_t rows, workers;

	(void)board_pool_rows(w->self->board, w->self->my_row, &rows, &workers);
	return workers;
}

/*
 * EPOLLEXCLUSIVE wakes one of the sleeping workers, not all. A kernel that does
 * not know it wakes them all, and the late ones find nobody.
 */
static int
watch_one(struct worker *w, struct loop_watch *watch)
{
	int rc = fault_fails("epollexclusive")
		     ? -EINVAL
		     : loop_watch(&w->loop, watch, EPOLLIN | EPOLLEXCLUSIVE);

	return rc == -EINVAL ? loop_watch(&w->loop, watch, EPOLLIN) : rc;
}

int
listen_open(struct worker *w)
{
	size_t i;

	w->shared_by = workers_now(w);
	for (i = 0; i < w->self->nlisteners; i++) {
		struct loop_watch *watch = &w->listeners[i];
		int rc;

		watch->fd = w->self->listeners[i];
		watch->tag = (int)i;
		watch->on = on_listener;
		if (i < w->self->npooled && i < w->self->settings.listens &&
		    w->self->settings.listen[i].queues > 1)
			w->has_queues = true;
		if (!is_mine(w, i))
			continue;
		rc = listen_begin(watch->fd);
		if (rc == 0)
			rc = watch_one(w, watch);
		if (rc < 0)
			return rc;
	}
	return 0;
}

void
listen_share(struct worker *w)
{
	uint32_t workers;
	size_t i;

	if (!w->has_queues || w->is_draining)
		return;
	workers = workers_now(w);
	if (workers == w->shared_by)
		return;
	w->shared_by = workers;
	for (i = 0; i < w->self->npooled; i++) {
		struct loop_watch *watch = &w->listeners[i];

		if (is_mine(w, i) == (watch->events != 0))
			continue;
		if (watch->events != 0)
			loop_unwatch(&w->loop, watch);
		else if (listen_begin(watch->fd) == 0)
			(void)watch_one(w, watch);
	}
}

void
listen_forget(struct worker *w)
{
	struct self *self = w->self;

	while (self->nlisteners > 0)
		fd_close(&self->listeners[--self->nlisteners]);
	self->npooled = 0;
}

static bool
is_full_stop(const struct worker *w)
{
	const struct rfk_board *board = w->self->board;

	/* What is queued is for the other master's. */
	if (atomic_load_explicit(
		&board->listeners_shared, memory_order_relaxed) != 0)
		return false;
	return w->is_orphan || atomic_load_explicit(&board->shutting_down,
				   memory_order_relaxed) != 0;
}

void
listen_drain(struct worker *w)
{
	bool all = is_full_stop(w);
	size_t i;

	w->acceptable = -1;
	w->accept_again = false;
	w->last_call_ms = w->loop.now_ms;
	for (i = 0; i < w->self->nlisteners; i++) {
		struct loop_watch *watch = &w->listeners[i];

		if (watch->events == 0)
			continue;
		/*
		 * Without a master it is for the workers to say it; and nobody
		 * else serves what a callback of this one has bound.
		 */
		if ((w->is_orphan && all) || i >= w->self->npooled)
			(void)cutoff_begin(watch->fd);
		if (cutoff_begun(watch->fd)) {
			if (!cutoff_is_sharp(watch->fd))
				w->last_call_ms =
				    w->loop.now_ms + CUTOFF_GRACE_MS;
		}
	}
}

/* Draining, and nobody waits at it now: is that the end? */
static void
found_empty(struct worker *w, struct loop_watch *watch)
{
	bool begun = cutoff_begun(watch->fd);

	if (begun && cutoff_is_sharp(watch->fd)) {
		loop_unwatch(&w->loop, watch);
		return;
	}
	if (w->loop.now_ms < w->last_call_ms)
		return;
	if (begun)
		cutoff_end_if_empty(watch->fd);
	loop_unwatch(&w->loop, watch);
}

int
listen_accept(struct worker *w, int listener)
{
	struct loop_watch *watch = &w->listeners[listener];
	int rc;

	if (watch->events == 0)
		return -EINVAL;
	rc = w->kind->acceptable(w, listener);
	if (rc == -EINVAL) /* its end has come, by another worker */
		loop_unwatch(&w->loop, watch);
	return rc;
}

/* Shut down, it is readable for ever, and a set that holds it never sleeps. */
void
listen_look(struct worker *w, int listener)
{
	struct loop_watch *watch = &w->listeners[listener];

	if (watch->events != 0 && cutoff_begun(watch->fd) &&
	    cutoff_is_sharp(watch->fd) && w->kind->acceptable(w, listener) == 0)
		loop_unwatch(&w->loop, watch);
}

bool
listen_rest(struct worker *w)
{
	bool all = is_full_stop(w), left = false;
	size_t i;

	for (i = 0; i < w->self->nlisteners; i++) {
		struct loop_watch *watch = &w->listeners[i];
		int rc;

		if (watch->events == 0)
			continue;
		rc = listen_accept(w, (int)i);
		if (rc == 0)
			found_empty(w, watch);
		else if (rc != -EBUSY && watch->events != 0 && !all &&
			 !cutoff_begun(watch->fd))
			loop_unwatch(&w->loop, watch); /* the others' */
		left = left || watch->events != 0;
	}
	return left;
}

void
listen_idle(struct worker *w)
{
	size_t i;

	if (w->is_draining || fault_fails("listen_idle"))
		return;
	for (i = 0; i < w->self->nlisteners; i++)
		if (listen_accept(w, (int)i) > 0)
			break; /* the set says of the others, and of more */
}
