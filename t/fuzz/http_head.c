/* http_head.c - a request head, read strictly, as unicorn does, and in pieces.
 */
#include "http/head.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const struct http_limits limits = HTTP_LIMITS_INIT;

static void
require(bool claim)
{
	if (!claim)
		abort();
}

/* A slice of the input, or of nothing. */
static void
inside(struct http_slice s, const char *buf, size_t len)
{
	if (s.len > 0)
		require(
		    s.at >= buf && s.len <= len && s.at <= buf + (len - s.len));
}

/* What the rest of the program relies on once a head was accepted. */
static void
accepted(const struct http_head *h, const char *buf, size_t len, bool strict)
{
	inside(h->method, buf, len);
	inside(h->target, buf, len);
	inside(h->query, buf, len);
	inside(h->fragment, buf, len);
	inside(h->scheme, buf, len);
	inside(h->authority, buf, len);
	inside(h->host, buf, len);
	inside(h->port, buf, len);
	require(h->method.len >= 1 && h->method.len <= 20);
	require(h->path.len >= 1 && h->path.len <= limits.path);
	require(h->nfields <= HTTP_FIELDS_MAX);
	require(!h->chunked || h->content_length < 0);
	require(h->content_length >= -1);
	require(!(h->keep_alive && h->connection_close));
	for (size_t i = 0; i < h->nfields; i++) {
		inside(h->fields[i].name, buf, len);
		inside(h->fields[i].value, buf, len);
		require(h->fields[i].name.len > 0);
		for (size_t j = 0; j < h->fields[i].value.len; j++)
			require(
			    strchr("\r\n", h->fields[i].value.at[j]) == NULL);
	}
	if (strict)
		require(h->major == 1 && h->fragment.len == 0);
}

/* The end of the head is the same when the input comes byte by byte. */
static void
found_in_pieces(const char *buf, size_t len, size_t end)
{
	size_t found = 0;

	for (size_t n = 1; n <= len && found == 0 && n < 4096; n++)
		found = http_head_end(buf, n, n - 1);
	require(found == end || end >= 4096 || len >= 4096);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct http_head head, compat;
	char *buf = malloc(size + 1); /* exact, so that ASan sees the end */
	size_t end, old;
	int status, loose;

	if (!buf)
		return 0;
	memcpy(buf, data, size);
	buf = realloc(buf, size ? size : 1);
	end = http_head_end(buf, size, 0);
	old = http_head_old_end(buf, size);
	require(end <= size && old <= size);
	found_in_pieces(buf, size, end);
	(void)http_head_overrun(buf, size, &limits);
	if (end == 0)
		end = old;
	status = http_head_parse(buf, end, 0, &limits, &head);
	loose =
	    http_head_parse(buf, end, HTTP_COMPAT_UNICORN, &limits, &compat);
	require(status == 0 || (status >= 400 && status <= 505));
	if (status == 0) {
		accepted(&head, buf, end, true);
		/* Compat takes all that the RFC does, and frames it alike. */
		require(loose == 0);
		require(head.content_length == compat.content_length);
		require(head.chunked == compat.chunked);
		require(head.nfields == compat.nfields);
	}
	if (loose == 0)
		accepted(&compat, buf, end, false);
	free(buf);
	return 0;
}
