/* lastcall.c - the queues of a run block that is to end. */
#include "run/lastcall.h"

#include <stddef.h>

#include "base/backlog.h"
#include "base/clock.h"
#include "base/cutoff.h"
#include "base/fd.h"
#include "base/log.h"
#include "ipc/board.h"
#include "worker/kind.h"
#include "worker/self.h"

#define LOOK_MS 20
/* A UNIX listener at which the clients never cease is shut all the same. */
#define OPEN_MS 1000
/* A block that takes nobody for so long will not take anybody. */
#define STUCK_MS 5000

static bool
are_shared(const struct self *self)
{
	return atomic_load_explicit(
		   &self->board->listeners_shared, memory_order_relaxed) != 0;
}

static void
on_look(struct loop_timer *t)
{
	struct lastcall *l =
	    (struct lastcall *)((char *)t - offsetof(struct lastcall, timer));

	loop_start(worker_loop(l->worker), &l->lane, &l->timer);
}

bool
lastcall_begin(struct lastcall *l, struct worker *w, uint64_t until_ms)
{
	struct self *self = worker_self(w);
	uint64_t now_ms = loop_now(worker_loop(w));
	size_t i;

	l->grace_ms = l->moved_ms = now_ms;
	for (i = 0; i < self->nlisteners; i++) {
		if (worker_is_orphan(w) && !are_shared(self))
			(void)cutoff_announce(self->listeners[i]);
		if (!cutoff_begun(self->listeners[i]))
			continue;
		l->is_on = true;
		if (!cutoff_is_sharp(self->listeners[i]))
			l->grace_ms = now_ms + CUTOFF_GRACE_MS;
	}
	if (!l->is_on)
		return false;
	l->worker = w;
	l->shut_ms = now_ms + OPEN_MS;
	l->until_ms =
	    until_ms > now_ms ? now_ms + (until_ms - now_ms) / 2 : now_ms;
	loop_lane(worker_loop(w), &l->lane, LOOK_MS, on_look);
	loop_start(worker_loop(w), &l->lane, &l->timer);
	return true;
}

/* Shut down, it is readable for ever, and accept says EAGAIN: who has nothing
 * but accept would call it again and again. One that blocks says EINVAL. */
static void
shut(int listener)
{
	(void)cutoff_begin(listener);
	(void)fd_nonblock(listener, false);
}

static int
queued(const struct lastcall *l, int listener, uint64_t now_ms)
{
	int n = backlog_length(listener);

	if (cutoff_is_sharp(listener) && (n <= 0 || now_ms >= l->shut_ms)) {
		shut(listener);
		n = backlog_length(listener); /* who came in between */
	}
	return n > 0 ? n : 0;
}

bool
lastcall_over(struct lastcall *l)
{
	struct self *self = worker_self(l->worker);
	uint64_t now_ms = clock_ms();
	int waiting = 0;
	size_t i;

	for (i = 0; i < self->nlisteners; i++)
		if (cutoff_begun(self->listeners[i]))
			waiting += queued(l, self->listeners[i], now_ms);
	if (waiting != l->waiting)
		l->moved_ms = now_ms;
	l->waiting = waiting;
	if (waiting == 0 && now_ms < l->grace_ms)
		return false;
	if (waiting > 0 && now_ms < l->until_ms &&
	    now_ms - l->moved_ms < STUCK_MS)
		return false;
	if (waiting > 0)
		log_warn("%s worker=%u: %d clients wait and the run block "
			 "takes none: they will be reset",
		    self->pool, self->slot, waiting);
	loop_stop(&l->timer);
	return true;
}
