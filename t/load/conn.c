/*
 * conn.c - a client that never retries. Whatever goes wrong after the first
 * byte of a request was sent, or while connecting, is a failure; a kept
 * connection may be closed by the server only while nothing was sent on it.
 */
#include "conn.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum {
	AFTER_FAILURE_US = 10000,
	QUEUE_FULL_US = 1000, /* a blocking connect would wait in the kernel */
	CONTINUE_US = 1000000,
	CLOSE_US = 5000000,
	READS_MAX = 16, /* then another connection has its turn */
};

int64_t
run_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void
conn_init(struct conn *c, struct run *run, bool keep)
{
	memset(c, 0, sizeof(*c));
	c->run = run;
	c->fd = -1;
	c->keep = keep;
	c->state = CONN_REST;
}

static void
want(struct conn *c, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = c };

	if (c->interest == events)
		return;
	epoll_ctl(c->run->epoll_fd,
	    c->interest == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, c->fd, &ev);
	c->interest = events;
}

static void
drop(struct conn *c, int64_t wake_us)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	c->interest = 0;
	c->state = CONN_REST;
	c->wake_us = wake_us;
}

static void
failed(struct conn *c, enum failure kind, const char *what)
{
	char why[160];

	snprintf(why, sizeof(why), "%s (%s %zu B%s%s, %s, sent %zu%s%s)", what,
	    c->plan.post ? "POST" : "GET", c->plan.body_len,
	    c->plan.chunked ? " chunked" : "", c->plan.expect ? " expect" : "",
	    c->keep ? "keep-alive" : "close", c->request.sent,
	    c->sending == REQUEST_SENT ? " all" : "",
	    c->answer.any ? ", answer begun" : "");
	tally_fail(&c->run->tally, kind, c->plan.id, why);
	drop(c, run_now_us() + AFTER_FAILURE_US);
}

static void
answered(struct conn *c)
{
	int64_t now = run_now_us();

	tally_answer(&c->run->tally, c->plan.n, c->begun_us, now);
	want(c, EPOLLIN | EPOLLRDHUP);
	if (c->keep && !c->answer.close) {
		c->state = CONN_KEPT;
		c->wake_us = now + (int64_t)c->plan.think_ms * 1000;
	} else {
		c->state = CONN_CLOSE;
		c->wake_us = now + CLOSE_US;
	}
}

/* True while the exchange goes on. */
static bool
judge(struct conn *c, enum answer_state state)
{
	char why[48];

	switch (state) {
	case ANSWER_MORE:
		return true;
	case ANSWER_CONTINUE:
		if (c->sending == REQUEST_PAUSED && c->plan.expect)
			c->wake_us = 0; /* the tick sends the body */
		return true;
	case ANSWER_STATUS:
		snprintf(why, sizeof(why), "status %d", c->answer.status);
		failed(c, FAIL_STATUS, why);
		return false;
	case ANSWER_WRONG:
		failed(c, FAIL_WRONG, c->answer.why);
		return false;
	case ANSWER_DONE:
		if (c->sending == REQUEST_SENT)
			answered(c);
		else
			failed(c, FAIL_WRONG, "answered before all was sent");
		return false;
	}
	return false;
}

static void
receive(struct conn *c)
{
	static char buf[65536];
	unsigned turns;
	ssize_t n;

	for (turns = 0; turns < READS_MAX; turns++) {
		n = recv(c->fd, buf, sizeof(buf), MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN && !c->unsendable)
			return;
		if (n < 0) {
			failed(c, FAIL_RESET,
			    c->unsendable ? "a write failed" : strerror(errno));
			return;
		}
		if (n == 0) {
			if (judge(c, answer_eof(&c->answer)))
				failed(c,
				    c->unsendable ? FAIL_RESET : FAIL_SHORT,
				    c->answer.why);
			return;
		}
		c->wake_us = run_now_us() + c->run->timeout_us;
		if (!judge(c, answer_feed(&c->answer, buf, (size_t)n)))
			return;
	}
}

static void
transmit(struct conn *c)
{
	int64_t now = run_now_us();
	int rc = request_write(&c->request, c->fd);

	if (rc < 0) {
		c->unsendable = true;
		receive(c);
		return;
	}
	c->sending = rc;
	c->wake_us = now + c->run->timeout_us;
	if (rc == REQUEST_PAUSED)
		c->wake_us = c->request.pause_at == c->plan.dawdle_at
				 ? now + c->plan.dawdle_ms * 1000
				 : now + CONTINUE_US;
	want(c, rc == REQUEST_BLOCKED ? EPOLLIN | EPOLLRDHUP | EPOLLOUT
				      : EPOLLIN | EPOLLRDHUP);
}

/* The pause is over: a dawdler that also expects pauses a second time. */
static void
resume(struct conn *c)
{
	bool dawdled = c->request.pause_at == c->plan.dawdle_at;

	c->request.pause_at = 0;
	if (dawdled && c->plan.expect)
		c->request.pause_at = c->request.head_len;
	transmit(c);
}

static void
talk(struct conn *c)
{
	c->state = CONN_TALK;
	transmit(c);
}

/* Nobody listens: nothing is lost, and with until_refused that was the last. */
static void
refused(struct conn *c, int error)
{
	if (!c->run->until_refused ||
	    (error != ECONNREFUSED && error != ENOENT)) {
		failed(c, FAIL_REFUSED, strerror(error));
		return;
	}
	c->run->tally.ended++;
	drop(c, INT64_MAX);
	c->state = CONN_OVER;
}

static void
dial(struct conn *c)
{
	struct run *run = c->run;
	int rc;

	c->fd = socket(
	    run->addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0) {
		failed(c, FAIL_REFUSED, strerror(errno));
		return;
	}
	rc = connect(c->fd, (struct sockaddr *)&run->addr, run->addr_len);
	if (rc == 0) {
		talk(c);
	} else if (errno == EINPROGRESS) {
		c->state = CONN_CONNECT;
		c->wake_us = run_now_us() + run->timeout_us;
		want(c, EPOLLOUT);
	} else if (errno == EAGAIN) {
		run->tally.waits++;
		drop(c, run_now_us() + QUEUE_FULL_US);
		c->state = CONN_WAIT;
	} else {
		refused(c, errno);
	}
}

static void
dialed(struct conn *c)
{
	socklen_t len = sizeof(int);
	int error = 0;

	getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (error != 0)
		refused(c, error);
	else
		talk(c);
}

/* Something happened to an idle connection, or a request is about to use it.
   False when it is gone. */
static bool
still_kept(struct conn *c)
{
	char byte;
	ssize_t n = recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	if (n < 0 && errno == EAGAIN)
		return true;
	if (n > 0) {
		failed(c, FAIL_WRONG, "bytes on an idle connection");
	} else {
		c->run->tally.idle_closed++;
		drop(c, c->wake_us);
	}
	return false;
}

static void
begin(struct conn *c)
{
	struct run *run = c->run;

	if (c->fd >= 0 && !still_kept(c))
		return;
	if (run->stopping || (run->limit && run->planner.next >= run->limit)) {
		drop(c, INT64_MAX);
		c->state = CONN_OVER;
		return;
	}
	plan_next(&run->planner, c->keep, &c->plan);
	if (tally_request(&run->tally, c->plan.n) < 0) {
		run->stopping = true;
		return;
	}
	request_begin(&c->request, &c->plan, run->path);
	answer_begin(&c->answer, &c->plan);
	c->unsendable = false;
	c->sending = REQUEST_BLOCKED;
	c->begun_us = run_now_us();
	if (c->fd >= 0)
		talk(c);
	else
		dial(c);
}

static void
expect_close(struct conn *c)
{
	char byte;
	ssize_t n = recv(c->fd, &byte, 1, MSG_DONTWAIT);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n > 0) {
		failed(c, FAIL_WRONG, "bytes after the end of the answer");
		return;
	}
	if (n < 0)
		c->run->tally.late_resets++;
	drop(c, run_now_us() + c->plan.think_ms * 1000);
}

void
conn_event(struct conn *c, uint32_t events)
{
	switch (c->state) {
	case CONN_CONNECT:
		dialed(c);
		break;
	case CONN_TALK:
		if (events & ~(uint32_t)EPOLLOUT)
			receive(c);
		if (c->state == CONN_TALK && (events & EPOLLOUT))
			transmit(c);
		break;
	case CONN_KEPT:
		still_kept(c);
		break;
	case CONN_CLOSE:
		expect_close(c);
		break;
	default:
		break;
	}
}

void
conn_tick(struct conn *c, int64_t now_us)
{
	if (c->run->stopping &&
	    (c->state == CONN_KEPT || c->state == CONN_REST))
		c->wake_us = 0;
	if (now_us < c->wake_us)
		return;
	switch (c->state) {
	case CONN_REST:
	case CONN_KEPT:
		begin(c);
		break;
	case CONN_WAIT:
		if (now_us - c->begun_us > c->run->timeout_us)
			failed(c, FAIL_TIMEOUT, "the listen queue stays full");
		else
			dial(c);
		break;
	case CONN_TALK:
		if (c->sending == REQUEST_PAUSED)
			resume(c);
		else
			failed(c, FAIL_TIMEOUT, "no byte for too long");
		break;
	case CONN_CONNECT:
		failed(c, FAIL_TIMEOUT, "no connection for too long");
		break;
	case CONN_CLOSE:
		failed(c, FAIL_UNCLOSED, "the server did not close");
		break;
	case CONN_OVER:
		break;
	}
}
