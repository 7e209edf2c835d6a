/*
 * lease.c - the kind of work `lease`: a worker waits until it is leased, is
 * its client's program once, and leaves.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/fd.h"
#include "base/log.h"
#include "lease/session.h"
#include "worker/kind.h"
#include "worker/self.h"
#include "worker/worker.h"

static int
lease_open(struct worker *w)
{
	struct session *s = malloc(sizeof(*s));

	if (s == NULL)
		return -ENOMEM;
	session_init(s);
	worker_state_set(w, s);
	return promotion_define(w);
}

/* It has no listeners. */
static int
lease_acceptable(struct worker *w, int listener)
{
	(void)w;
	(void)listener;
	return -EINVAL;
}

static void
lease_order(
    struct worker *w, const struct rfk_msg *msg, int *take_fds, int nfds)
{
	if (session_take(worker_state(w), msg, take_fds, nfds) < 0)
		log_error("worker=%u: a lease that cannot be taken",
		    worker_self(w)->slot);
}

static bool
lease_step(struct worker *w)
{
	struct session *s = worker_state(w);
	int status;

	if (!s->pending)
		return false;
	status = session_run(s, w, &worker_self(w)->end_signal);
	if (w->is_candidate)
		free(s);
	else
		worker_leave(w, status);
	return true;
}

static void
lease_drain(struct worker *w, uint64_t until_ms)
{
	(void)w;
	(void)until_ms;
}

static bool
lease_drained(struct worker *w)
{
	struct session *s = worker_state(w);

	return !s->pending;
}

/* A client may have passed sockets. */
static size_t
lease_descriptors(struct worker *w, int *out, size_t cap)
{
	size_t i;

	(void)w;
	for (i = 0; i < 3 && i < cap; i++)
		out[i] = (int)i;
	return i;
}

/* Freed when the block has been left: session_run is on the stack. */
static void
lease_forked(struct worker *w)
{
	struct session *s = worker_state(w);

	if (s->running) {
		session_forget(s);
		return;
	}
	session_fini(s);
	free(s);
}

static void
lease_close(struct worker *w)
{
	struct session *s = worker_state(w);

	session_fini(s);
	free(s);
	worker_state_set(w, NULL);
}

const struct kind kind_lease = {
	.name = "lease",
	.open = lease_open,
	.acceptable = lease_acceptable,
	.order = lease_order,
	.step = lease_step,
	.drain = lease_drain,
	.drained = lease_drained,
	.descriptors = lease_descriptors,
	.forked = lease_forked,
	.close = lease_close,
};
