/*
 * conn.h - one client's connection: accept, head, body, answer, and again.
 *
 *	HEAD -> BODY -> BUSY -> (FLUSH ->) HEAD, or LINGER -> closed
 *
 * A connection is read only in its turn (arrive.h), never while a request
 * runs. Its memory is used again for the next client.
 *
 * Runs in:    worker
 * Owns:       its descriptor, buffers and request
 * After fork: the candidate closes it (conn_drop), without a shutdown
 * Raises:     never
 */
#ifndef RACK_CONN_H
#define RACK_CONN_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "rack/out.h"
#include "rack/request.h"

struct rack;

enum conn_state {
	CONN_HEAD,   /* waits for a head, or has a part of one */
	CONN_BODY,   /* has the head, waits for the body */
	CONN_BUSY,   /* its request runs */
	CONN_FLUSH,  /* the answer is on its way */
	CONN_LINGER, /* shut down for writing, reads to EOF */
	CONN_GONE,   /* closed, and still in the queue */
};

struct conn {
	struct loop_watch watch; /* watch.fd is the socket, -1 = closed */
	struct loop_timer timer;
	struct rack *rack;
	struct conn *prev, *next;
	struct conn *queue_next;
	enum conn_state state;
	bool is_queued;
	bool is_unix;
	bool keep;         /* after this answer */
	bool is_tainted;   /* bytes may come that nobody will read: linger */
	bool is_silent;    /* its last request is read, as it said itself */
	unsigned forks;    /* forks_seen when it was accepted */
	uint64_t ready_us; /* its bytes were seen: the queue time starts */
	uint64_t served;
	struct buf in; /* head, then what came behind the request */
	struct request req;
	struct out out;
	char remote[INET6_ADDRSTRLEN]; /* "127.0.0.1" for a UNIX peer */
	uint32_t remote_v4;            /* what is written there; 0 = no v4 */
};

/* Accepts one: 1, 0 = none there, -errno. */
int conn_accept(struct rack *, int listener);
/* Into the queue of those with something to read. */
void conn_enqueue(struct conn *);
/* Shut down and close; conn_cut makes sure that no one takes it for whole. */
void conn_close(struct conn *);
void conn_cut(struct conn *);
/* What was sent since the last call goes into the row. */
void conn_count_sent(struct conn *);
/* The socket belongs to the application now: the descriptor. */
int conn_give_fd(struct conn *);
void conn_gone(struct conn *); /* after that, when its call has ended */
/* After a fork, in the child. */
void conn_drop(struct conn *);
bool conn_is_idle(const struct conn *); /* kept, and nothing was read */
/* Memory of a closed one: for the next client, or freed. */
void conn_recycle(struct conn *);
void conn_free(struct conn *);

#endif
