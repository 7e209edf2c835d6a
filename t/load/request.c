/*
 * request.c - a request is a row of small frames and windows of the body.
 */
#include "request.h"
#include "body.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

void
request_begin(struct request *r, const struct plan *p, const char *path)
{
	char framing[48] = "";
	int len;

	memset(r, 0, sizeof(*r));
	r->plan = p;
	if (p->post && p->chunked)
		strcpy(framing, "Transfer-Encoding: chunked\r\n");
	else if (p->post)
		snprintf(framing, sizeof(framing), "Content-Length: %zu\r\n",
		    p->body_len);
	len = snprintf(r->small, sizeof(r->small),
	    "%s %s HTTP/1.1\r\nHost: load.test\r\nX-Load-Id: %s\r\n"
	    "X-Load-Want: %zu\r\n%s%s%s%s%s\r\n",
	    p->post ? "POST" : "GET", path, p->id, p->want,
	    p->stream ? "X-Load-Stream: 1\r\n" : "",
	    p->post ? "Content-Type: application/octet-stream\r\n" : "",
	    framing, p->expect ? "Expect: 100-continue\r\n" : "",
	    p->keep ? "" : "Connection: close\r\n");
	r->head_len = r->small_len = (size_t)len;
	r->data = body_bytes(p->place);
	if (p->post && p->chunked)
		r->unframed = p->body_len;
	else
		r->data_left = p->body_len;
	r->ended = !(p->post && p->chunked);
	if (p->dawdle_at != 0)
		r->pause_at = p->dawdle_at;
	else if (p->expect)
		r->pause_at = r->head_len;
}

/* Chunks of uneven sizes, so that no reader is right by luck. */
static void
next_chunk(struct request *r)
{
	size_t size = 1 + (r->sent * 7919 + r->plan->n) % 16384;
	const char *before = r->sent > r->head_len ? "\r\n" : "";
	int len;

	if (r->unframed == 0) {
		len =
		    snprintf(r->small, sizeof(r->small), "%s0\r\n\r\n", before);
		r->ended = true;
	} else {
		if (r->plan->body_len > 1024 * 1024)
			size *= 8;
		if (size > r->unframed)
			size = r->unframed;
		len = snprintf(
		    r->small, sizeof(r->small), "%s%zx\r\n", before, size);
		r->unframed -= size;
		r->data_left = size;
	}
	r->small_at = 0;
	r->small_len = (size_t)len;
}

/* Sends from one place and stops at the pause. */
static int
put(struct request *r, int fd, const void *from, size_t len)
{
	ssize_t n;

	if (r->pause_at != 0 && len > r->pause_at - r->sent)
		len = r->pause_at - r->sent;
	n = send(fd, from, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0)
		return -errno;
	r->sent += (size_t)n;
	return (int)n;
}

int
request_write(struct request *r, int fd)
{
	int n;

	for (;;) {
		if (r->pause_at != 0 && r->sent >= r->pause_at)
			return REQUEST_PAUSED;
		if (r->small_at < r->small_len) {
			n = put(r, fd, r->small + r->small_at,
			    r->small_len - r->small_at);
			if (n > 0)
				r->small_at += (size_t)n;
		} else if (r->data_left > 0) {
			n = put(r, fd, r->data, r->data_left);
			if (n > 0) {
				r->data += n;
				r->data_left -= (size_t)n;
			}
		} else if (r->ended) {
			return REQUEST_SENT;
		} else {
			next_chunk(r);
			continue;
		}
		if (n == -EAGAIN)
			return REQUEST_BLOCKED;
		if (n < 0 && n != -EINTR)
			return n;
	}
}
