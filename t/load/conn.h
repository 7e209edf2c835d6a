/*
 * conn.h - one client: it connects, asks, checks the answer, and goes on.
 *
 * Runs in:    t/load
 * Owns:       its socket
 * After fork: never forks
 * Raises:     never
 */
#ifndef T_LOAD_CONN_H
#define T_LOAD_CONN_H

#include "answer.h"
#include "plan.h"
#include "request.h"
#include "tally.h"

#include <sys/socket.h>

/* What all connections share. */
struct run {
	int epoll_fd;
	struct sockaddr_storage addr;
	socklen_t addr_len;
	const char *path;
	int64_t timeout_us; /* without a byte in either direction */
	uint32_t limit;     /* of requests, 0 = none */
	bool stopping;
	bool until_refused; /* a server that has gone ends the connection */
	struct planner planner;
	struct tally tally;
};

enum conn_state {
	CONN_REST,    /* no socket; starts a request at wake_us */
	CONN_WAIT,    /* its request waits for room in the listen queue */
	CONN_CONNECT, /* until the socket is writable */
	CONN_TALK,    /* sends, and reads at the same time */
	CONN_KEPT,    /* idle; the next request goes out at wake_us */
	CONN_CLOSE,   /* answered; the server has to close it */
	CONN_OVER,
};

struct conn {
	struct run *run; /* borrowed */
	int fd;
	enum conn_state state;
	bool keep;
	bool unsendable; /* a write failed, what can be read is read first */
	int64_t wake_us; /* when conn_tick has something to do */
	int64_t begun_us;
	uint32_t interest;
	int sending; /* a request_progress */
	struct plan plan;
	struct request request;
	struct answer answer;
};

int64_t run_now_us(void);
void conn_init(struct conn *, struct run *, bool keep);
void conn_event(struct conn *, uint32_t events);
void conn_tick(struct conn *, int64_t now_us);

#endif
