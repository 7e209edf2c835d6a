/* loop.c - the workers' epoll set. */
#include "base/loop.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"

int
loop_init(struct loop *l)
{
	memset(l, 0, sizeof(*l));
	l->fd = epoll_create1(EPOLL_CLOEXEC);
	l->now_ms = clock_ms();
	return l->fd < 0 ? -errno : 0;
}

void
loop_fini(struct loop *l)
{
	fd_close(&l->fd);
	l->nready = l->at = 0;
	l->lanes = NULL;
}

int
loop_watch(struct loop *l, struct loop_watch *w, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = w };
	int op = w->events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;

	if (w->events == events)
		return 0;
	if (epoll_ctl(l->fd, op, w->fd, &ev) < 0)
		return -errno;
	w->events = events;
	return 0;
}

void
loop_forget(struct loop *l, struct loop_watch *w)
{
	int i;

	w->events = 0;
	for (i = l->at; i < l->nready; i++)
		if (l->ready[i].data.ptr == w)
			l->ready[i].data.ptr = NULL;
}

void
loop_unwatch(struct loop *l, struct loop_watch *w)
{
	if (w->events != 0)
		(void)epoll_ctl(l->fd, EPOLL_CTL_DEL, w->fd, NULL);
	loop_forget(l, w);
}

void
loop_lane(struct loop *l, struct loop_lane *lane, uint64_t after_ms,
    void (*on)(struct loop_timer *))
{
	lane->list.prev = lane->list.next = &lane->list;
	lane->after_ms = after_ms > 0 ? after_ms : 1;
	lane->on = on;
	lane->next = l->lanes;
	l->lanes = lane;
}

void
loop_stop(struct loop_timer *t)
{
	if (t->next == NULL)
		return;
	t->prev->next = t->next;
	t->next->prev = t->prev;
	t->prev = t->next = NULL;
}

void
loop_start(struct loop *l, struct loop_lane *lane, struct loop_timer *t)
{
	loop_stop(t);
	t->at_ms = l->now_ms + lane->after_ms;
	t->prev = lane->list.prev;
	t->next = &lane->list;
	t->prev->next = t;
	lane->list.prev = t;
}

uint64_t
loop_now(struct loop *l)
{
	return l->now_ms = clock_ms();
}

int
loop_left_ms(const struct loop *l, int most)
{
	const struct loop_lane *lane;
	uint64_t now_ms = clock_ms();

	for (lane = l->lanes; lane != NULL; lane = lane->next) {
		const struct loop_timer *t = lane->list.next;

		if (t == &lane->list)
			continue;
		if (t->at_ms <= now_ms)
			return 0;
		if (t->at_ms - now_ms < (uint64_t)most)
			most = (int)(t->at_ms - now_ms);
	}
	return most;
}

int
loop_wait(struct loop *l, int timeout_ms)
{
	int n = epoll_wait(l->fd, l->ready, LOOP_BATCH, timeout_ms);

	l->at = 0;
	l->nready = n > 0 ? n : 0;
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	return n;
}

void
loop_dispatch(struct loop *l)
{
	struct loop_lane *lane;

	l->now_ms = clock_ms();
	while (l->at < l->nready) {
		struct epoll_event *ev = &l->ready[l->at++];
		struct loop_watch *w = ev->data.ptr;

		if (w != NULL)
			w->on(w, ev->events);
	}
	/* A callback may start its timer again: that one is never due now. */
	for (lane = l->lanes; lane != NULL; lane = lane->next)
		while (lane->list.next != &lane->list &&
		       lane->list.next->at_ms <= l->now_ms) {
			struct loop_timer *t = lane->list.next;

			loop_stop(t);
			lane->on(t);
		}
}
