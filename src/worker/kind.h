/*
 * kind.h - what a kind of work (rack, lease, run) gives to the worker's loop.
 *
 * The loop (worker.c) owns waiting, the channel, signals, draining and the
 * scoreboard beat; a kind owns where units of work come from and how one is
 * done. All functions run on the main thread with the GVL held.
 *
 * Runs in:    worker
 * Owns:       nothing
 * After fork: `forked` runs in the candidate: close every client at once
 * Raises:     never
 */
#ifndef WORKER_KIND_H
#define WORKER_KIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rfk_msg;
struct self;
struct worker;
struct loop;

struct kind {
	const char *name;
	/* Before READY: make what it calls, check listeners. 0, -errno. */
	int (*open)(struct worker *);
	/*
	 * A listener may be readable: accept one and begin it. 1; 0 = nobody
	 * waits; -EBUSY = not now; -EINVAL = it listens no more; -errno. NULL:
	 * this kind accepts nothing, whatever it inherits.
	 */
	int (*acceptable)(struct worker *, int listener);
	/* The master brings work (LEASE), with descriptors; NULL = never. */
	void (*order)(
	    struct worker *, const struct rfk_msg *, int *take_fds, int nfds);
	/* Do one unit that is complete: true = there was one. */
	bool (*step)(struct worker *);
	/* Take no new work, answer what was begun, close idle ones in time. */
	void (*drain)(struct worker *, uint64_t until_ms);
	bool (*drained)(struct worker *); /* nothing begun is left */
	/* The connected descriptors it holds, for threads_shared_sockets. */
	size_t (*descriptors)(struct worker *, int *out, size_t cap);
	/*
	 * Before a promotion: 1 = now; 0 = it is asked again at the next turn;
	 * -errno = no, and why. In the donor `promoted` follows. NULL: always.
	 */
	int (*may_promote)(struct worker *, char *text, size_t size);
	void (*promoted)(struct worker *);
	/* Its last sign of life, for an idle beat. NULL: now. */
	uint64_t (*sign_ms)(struct worker *, uint64_t now_ms);
	void (*forked)(struct worker *);
	void (*close)(struct worker *);
};

extern const struct kind kind_rack;
extern const struct kind kind_lease;
extern const struct kind kind_run;

/* What a kind may use of its worker. */
struct self *worker_self(struct worker *);
struct loop *worker_loop(struct worker *);
void *worker_state(struct worker *);            /* the kind's own */
void worker_state_set(struct worker *, void *); /* kind->close frees it */
/* 0, or a status to leave with: the application called exit in a unit. */
void worker_leave(struct worker *, int status);
/* A unit begins and ends: row, deadline, the soft-timeout thread. */
uint64_t worker_unit_begin(struct worker *, const char *method,
    size_t method_len, const char *path, size_t path_len);
void worker_unit_end(struct worker *);
/* pitchfork's titles tell each request: "processing: /path". */
void worker_unit_title(struct worker *, const char *what);
bool worker_traps(int signo); /* the application's trap is in force */
bool worker_is_draining(const struct worker *);
bool worker_is_orphan(const struct worker *); /* drain without patience */

#endif
