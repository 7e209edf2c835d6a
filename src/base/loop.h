/*
 * loop.h - one epoll set, its watches, and deadlines in lanes.
 *
 * The workers' loop. libev has no public way to its backend's descriptor and
 * no EPOLLEXCLUSIVE, so that a worker with libev would need an epoll over an
 * epoll; here listeners, channel and connections share one. Waiting is a call
 * of its own (loop_wait), because only the caller knows how to give the GVL up.
 *
 * A lane holds deadlines of one length: a list in order, O(1) to start, move
 * and stop.
 *
 * Runs in:    worker
 * Owns:       the epoll descriptor
 * After fork: the child calls loop_fini and nothing else: the set is shared
 *             with its parent, so it must not remove anything from it
 * Raises:     never
 */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#define LOOP_BATCH 64

/* Embedded in what it serves; zeroed, then fd and on are set. */
struct loop_watch {
	int fd;
	uint32_t events; /* in the set with these; 0 = not in it */
	int tag;         /* the owner's: its index in an array, say */
	void (*on)(struct loop_watch *, uint32_t events);
};

struct loop_timer {
	struct loop_timer *prev, *next; /* NULL = not running */
	uint64_t at_ms;
};

struct loop_lane {
	struct loop_timer list; /* ring; the earliest is list.next */
	uint64_t after_ms;
	void (*on)(struct loop_timer *);
	struct loop_lane *next; /* of the loop */
};

struct loop {
	int fd;
	int nready, at; /* of ready: got by loop_wait, and done by dispatch */
	uint64_t now_ms;
	struct loop_lane *lanes;
	struct epoll_event ready[LOOP_BATCH];
};

int loop_init(struct loop *); /* 0, -errno */
void loop_fini(struct loop *);

/* Puts a watch into the set or changes its events. 0, -errno. */
int loop_watch(struct loop *, struct loop_watch *, uint32_t events);
/* Takes it out; an event that was read but not dispatched is forgotten. */
void loop_unwatch(struct loop *, struct loop_watch *);
/* The same for a descriptor whose last copy was closed: no system call. */
void loop_forget(struct loop *, struct loop_watch *);

void loop_lane(struct loop *, struct loop_lane *, uint64_t after_ms,
    void (*on)(struct loop_timer *));
void loop_start(struct loop *, struct loop_lane *, struct loop_timer *);
void loop_stop(struct loop_timer *);
/* Reads the clock again: after a unit of work, before timers are started. */
uint64_t loop_now(struct loop *);

/* Milliseconds until the nearest deadline, at most `most`. */
int loop_left_ms(const struct loop *, int most);
/* Events read (0 after a signal or the timeout), or -errno. */
int loop_wait(struct loop *, int timeout_ms);
/* Runs what loop_wait read, then the deadlines that have passed. */
void loop_dispatch(struct loop *);

#endif
