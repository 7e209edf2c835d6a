/*
 * lease.c - the life of one lease: it waits for a worker, has one, is released.
 * It ends when its worker has ended and been said EXITED; a lease without a
 * client is one that is being released.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/rights.h"
#include "master/leases.h"
#include "master/master.h"
#include "master/pools.h"

void
lease_free(struct lease *l)
{
	ev_timer_stop(l->leases->master->loop, &l->limit);
	if (l->child != NULL)
		l->child->lease = NULL;
	if (l->pool != NULL)
		keys_used(l->pool);
	TAILQ_REMOVE(&l->leases->list, l, link);
	rights_close(l->fds, l->nfds);
	buf_fini(&l->fields);
	free(l);
}

static bool
is_waiting(const struct lease *l, const struct pool *p)
{
	return l->pool == p && l->child == NULL;
}

struct lease *
lease_waiting(struct pool *p)
{
	struct leases *leases = p->master->leases;
	struct lease *l;

	if (leases == NULL)
		return NULL;
	TAILQ_FOREACH(l, &leases->list, link)
	{
		if (is_waiting(l, p))
			return l;
	}
	return NULL;
}

/* Ending */

void
lease_kill_at(struct lease *l, uint64_t within_ms)
{
	struct ev_loop *loop = l->leases->master->loop;

	ev_timer_stop(loop, &l->limit);
	ev_timer_set(&l->limit, (double)within_ms / 1e3, 0.);
	ev_now_update(loop);
	ev_timer_start(loop, &l->limit);
}

/* A stopped one hears nothing else. */
void
lease_end(struct lease *l, int signo, uint64_t within_ms)
{
	l->released = true;
	l->child->expected = true;
	(void)pidfd_signal(l->child->process.pidfd, signo);
	(void)pidfd_signal(l->child->process.pidfd, SIGCONT);
	lease_kill_at(l, within_ms);
}

static void
on_limit(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct lease *l = w->data;

	(void)loop;
	(void)revents;
	if (l->child != NULL) {
		child_kill(l->child, LIFE_KILL,
		    "its lease was released %.1fs ago",
		    (double)l->within_ms / 1e3);
		return;
	}
	leases_refuse(l->client, "busy", l->id,
	    "no worker of pool %s was ready in %.1fs (the log says why)",
	    keys_name(l->pool), (double)(clock_ms() - l->asked_ms) / 1e3);
	lease_free(l);
}

void
lease_limit_init(struct lease *l)
{
	ev_timer_init(&l->limit, on_limit, 0., 0.);
	l->limit.data = l;
}

void
lease_abandon(struct leases *leases, struct lease_client *c)
{
	struct lease *l, *next;

	for (l = TAILQ_FIRST(&leases->list); l != NULL; l = next) {
		next = TAILQ_NEXT(l, link);
		if (l->client != c)
			continue;
		l->client = NULL;
		if (l->child == NULL)
			lease_free(l);
		else if (!l->released)
			lease_end(l, SIGTERM, l->within_ms);
	}
}

void
lease_refuse_waiting(struct pool *p, const char *code, const char *why)
{
	struct lease *l = lease_waiting(p), *next;

	for (; l != NULL; l = next) {
		next = TAILQ_NEXT(l, link);
		if (!is_waiting(l, p))
			continue;
		leases_refuse(l->client, code, l->id, "%s", why);
		lease_free(l);
	}
}

/* The pipes of a client that has passed none: its ends into mine[2]. */
static int
pipes_make(struct lease *l, int mine[2])
{
	int in[2], out[2];

	if (pipe2(in, O_CLOEXEC) < 0)
		return -errno;
	if (pipe2(out, O_CLOEXEC) < 0) {
		int rc = -errno;

		rights_close(in, 2);
		return rc;
	}
	memmove(l->fds + 2, l->fds, (size_t)l->nfds * sizeof(int));
	l->fds[0] = in[0];
	l->fds[1] = out[1];
	l->nfds += 2;
	l->has |= 1u << LEASELINE_STDIN | 1u << LEASELINE_STDOUT;
	mine[0] = in[1];
	mine[1] = out[0];
	return 0;
}

static void
say_leased(struct lease *l, int *take_fds, int nfds)
{
	const struct child *c = l->child;
	const struct moldlink *mold = l->pool->mold;
	struct buf text = BUF_INIT;

	if (record_begin(&text, "LEASED") == 0 &&
	    record_count(&text, "id", l->id) == 0 &&
	    record_signed(&text, "pid", c->process.pid) == 0 &&
	    record_count(&text, "gen", c->generation) == 0 &&
	    record_signed(
		&text, "mold", mold != NULL ? mold->process.pid : 0) == 0 &&
	    record_count(&text, "ms", clock_ms() - l->asked_ms) == 0 &&
	    (nfds == 1 || record_text(&text, "fds", "pidfd,stdin,stdout") == 0))
		leases_say(l->client, &text, take_fds, nfds);
	else
		rights_close(take_fds, nfds);
	buf_fini(&text);
}

int
lease_grant(struct lease *l, struct child *c)
{
	struct rfk_msg msg = { .type = RFK_MSG_LEASE };
	int give[3] = { -1, -1, -1 };
	int rc = 0, n = 1;

	give[0] = fcntl(c->process.pidfd, F_DUPFD_CLOEXEC, 3);
	if (give[0] < 0)
		return -errno;
	if ((l->has & 1u << LEASELINE_STDIN) == 0) {
		rc = pipes_make(l, give + 1);
		n = 3;
	}
	if (rc < 0) {
		fd_close(&give[0]);
		return rc;
	}
	msg.u.lease.id = l->id;
	msg.u.lease.has = l->has;
	msg.u.lease.umask = l->umask;
	msg.tail = l->fields.data;
	msg.tail_len = (uint32_t)l->fields.len;
	rc = process_put(&c->process, &msg, l->fds, l->nfds);
	l->nfds = 0; /* they have gone, also when that failed */
	if (rc < 0)
		log_warn("lease=%llu: worker=%u cannot be told: %s",
		    (unsigned long long)l->id, c->slot, strerror(-rc));
	ev_timer_stop(l->leases->master->loop, &l->limit);
	buf_fini(&l->fields);
	l->child = c;
	c->lease = l;
	say_leased(l, give, n);
	return 0;
}
