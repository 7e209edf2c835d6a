/*
 * leases.h - the socket at which clients lease workers, and what they hold.
 *
 * leases.c has the socket and its clients, leaseask.c what they ask, lease.c
 * the life of one lease, leasenews.c what they are told, spares.c the workers
 * that are kept ready for them. docs/leases.md is the protocol. Everything a
 * client sends is hostile; a client that stops reading is dropped, and with a
 * client go its leases.
 *
 * Runs in:    master
 * Owns:       the socket, its clients, the leases
 * After fork: CLOEXEC
 * Raises:     never
 */
#ifndef MASTER_LEASES_H
#define MASTER_LEASES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include <ev.h>

#include "base/buf.h"
#include "base/fail.h"
#include "base/leaseline.h"
#include "master/door.h"

struct child;
struct leases;
struct lease_client;
struct lease_message;
struct master;
struct pidfd_exit;
struct pool;

/* Waits for a worker (child NULL), has one, or is being released. */
struct lease {
	TAILQ_ENTRY(lease) link;
	uint64_t id;
	struct leases *leases;
	struct lease_client *client; /* NULL = it has gone */
	struct pool *pool;           /* NULL: it is about to enter one */
	struct child *child;
	bool released;
	bool is_any; /* it names no pool */
	uint64_t asked_ms;
	uint64_t within_ms; /* after RELEASE, then it is killed */
	uint32_t umask;     /* UINT32_MAX = the worker's own */
	uint32_t has;       /* bit i: enum leaseline_fd i is among fds */
	int fds[LEASELINE_FDS_MAX]; /* for the worker, in that order */
	int nfds;
	struct buf fields; /* of LEASE: "name=value" NUL ... */
	ev_timer limit;    /* of waiting, or of the release */
};

struct lease_client {
	TAILQ_ENTRY(lease_client) link;
	struct leases *leases;
	int fd;
	pid_t pid; /* as it was when it came: for the log */
	bool lost; /* closed at the next turn of the loop */
	ev_io io;
	unsigned int queued;
	struct lease_message *first, **last;
};

TAILQ_HEAD(lease_list, lease);
TAILQ_HEAD(lease_clients, lease_client);

struct leases {
	struct master *master;
	struct door door;
	struct lease_list list;
	struct lease_clients clients;
	unsigned int nclients;
	uint64_t last_id;
};

/* Opens the socket at path (stale ones are replaced, live ones refused). */
struct leases *leases_open(struct master *, const char *path, struct fail *why);
void leases_close(struct leases *); /* unlinks its file; NULL is fine */
const char *leases_path(const struct leases *);
/*
 * One message to a client, which takes the descriptors; NULL closes them. Who
 * reads nothing is lost.
 */
void leases_say(
    struct lease_client *, const struct buf *, int *take_fds, int nfds);
void leases_refuse(struct lease_client *, const char *code, uint64_t id,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* leaseask.c: what a client asks. */
void lease_take(
    struct lease_client *, const struct leaseline *, int *take_fds, int nfds);
void lease_signal(struct lease_client *, const struct leaseline *);
void lease_release(struct lease_client *, const struct leaseline *);
/* The pool that `pool` names; NULL: the client was told that there is none. */
struct pool *lease_pool(struct lease_client *, const struct leaseline *);
/* It waits for a worker of the pool, or of its key's; or it was refused, and
 * freed. */
void lease_enter(struct lease *, struct pool *);
void lease_elsewhere(struct pool *); /* who waits in one that does not lease */
/* Why there is none, for the client. */
const char *lease_no_boot(const struct pool *, char *out, size_t cap);

/* lease.c: its life. */
void lease_limit_init(struct lease *);
/* The oldest one that waits for a worker of this pool, or NULL. */
struct lease *lease_waiting(struct pool *);
/* Gives it that worker: 0, -errno when the worker cannot be told. */
int lease_grant(struct lease *, struct child *);
/* The pool will never have one for them. */
void lease_refuse_waiting(struct pool *, const char *code, const char *why);
void lease_kill_at(struct lease *, uint64_t within_ms);
void lease_end(struct lease *, int signo, uint64_t within_ms);
void lease_abandon(struct leases *, struct lease_client *); /* it has gone */
void lease_free(struct lease *);

/* leasenews.c: what happens to a pool whose workers are leased. */
void lease_stat(struct lease_client *, const struct leaseline *);
void lease_child_gone(struct child *, const struct pidfd_exit *);
void lease_child_quits(struct child *, uint64_t limit_ms);
void lease_generation(struct pool *);

/* spares.c: the workers that are ready for them. */
struct spares {
	uint32_t ready, coming, leased, leaving, waiting;
};
bool spares_kept(const struct pool *); /* its workers are leased */
void spares_count(struct pool *, struct spares *);
/* In place of one worker for each slot: leases are served, spares made. */
void spares_step(struct pool *);
bool spares_ready(struct pool *);

#endif
