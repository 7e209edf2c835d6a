/*
 * http_chunked.c - a body in chunks, whole and in pieces whose size the first
 * byte of the input gives: both must come to the same end.
 */
#include "http/chunked.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

struct decoded {
	struct chunked body;
	char *payload;
	size_t len;
	size_t consumed;
	ssize_t rc;
	char trailers[512];
};

static void
require(bool claim)
{
	if (!claim)
		abort();
}

/* Feeds one piece from a copy of its very size, so that ASan sees its end. */
static void
feed(struct decoded *d, const uint8_t *piece, size_t len)
{
	char *copy = malloc(len), *in = copy;
	struct http_slice data;

	require(copy != NULL);
	memcpy(copy, piece, len);
	while (len > 0 && !chunked_is_done(&d->body)) {
		d->rc = chunked_feed(&d->body, in, len, &data);
		if (d->rc < 0)
			break;
		require(d->rc > 0 && (size_t)d->rc <= len);
		require(data.len <= (size_t)d->rc);
		if (data.len > 0) {
			require(
			    data.at >= in && data.at + data.len == in + d->rc);
			memcpy(d->payload + d->len, data.at, data.len);
		}
		d->len += data.len;
		d->consumed += (size_t)d->rc;
		in += d->rc;
		len -= (size_t)d->rc;
	}
	free(copy);
}

static void
decode(struct decoded *d, const uint8_t *text, size_t len, size_t piece)
{
	memset(d, 0, sizeof(*d));
	d->payload = malloc(len + 1);
	require(d->payload != NULL);
	chunked_init(&d->body, d->trailers, sizeof(d->trailers));
	while (len > 0 && d->rc >= 0) {
		size_t n = piece < len ? piece : len;

		feed(d, text, n);
		text += n;
		len -= n;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct decoded whole, cut;
	struct http_field fields[8];
	int n;

	if (size < 2)
		return 0;
	decode(&whole, data + 1, size - 1, size);
	decode(&cut, data + 1, size - 1, (size_t)data[0] % 32 + 1);
	require((whole.rc < 0) == (cut.rc < 0));
	require(whole.rc >= 0 || whole.rc == cut.rc);
	require(whole.body.state == cut.body.state);
	require(whole.len == cut.len);
	require(memcmp(whole.payload, cut.payload, whole.len) == 0);
	require(whole.body.trailers_len == cut.body.trailers_len);
	require(whole.body.total == whole.len);
	require(whole.rc < 0 || whole.consumed == cut.consumed);
	if (chunked_is_done(&whole.body)) {
		n = chunked_trailers(&whole.body, fields, 8);
		require(n <= 8 && (n >= 0 || n == -EPROTO || n == -E2BIG));
	}
	free(whole.payload);
	free(cut.payload);
	return 0;
}
