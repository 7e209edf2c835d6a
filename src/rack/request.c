/* request.c - one request as its bytes arrive. */
#include "rack/request.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "rack/rack.h"

#define TRAILERS_CAP 8192
#define KEEP_BYTES 131072

void
request_init(struct request *req)
{
	memset(req, 0, sizeof(*req));
	req->file = -1;
}

void
request_fini(struct request *req)
{
	buf_fini(&req->body);
	fd_close(&req->file);
	free(req->trailers);
	req->trailers = NULL;
}

void
request_reset(struct request *req)
{
	if (req->body.cap > KEEP_BYTES)
		buf_fini(&req->body);
	buf_reset(&req->body);
	fd_close(&req->file);
	req->head_len = req->searched = 0;
	req->has_body = req->is_chunked = req->expects_continue = false;
	req->is_streamed = false;
	req->content_length = -1;
	req->body_len = 0;
}

static int
body_begin(struct request *req, const struct http_head *head)
{
	req->has_body = head->chunked || head->content_length > 0;
	req->is_chunked = head->chunked;
	req->content_length = head->content_length;
	req->expects_continue = head->expect_continue;
	if (!head->chunked)
		return 0;
	if (req->trailers == NULL)
		req->trailers = malloc(TRAILERS_CAP);
	if (req->trailers == NULL)
		return -ENOMEM;
	chunked_init(&req->chunked, req->trailers, TRAILERS_CAP);
	return 0;
}

int
request_head(struct request *req, struct rack *rack, const struct buf *in)
{
	size_t len = http_head_end(in->data, in->len, req->searched);
	int64_t most = rack->self->settings.client_max_body_size;
	int status;

	/* Its one line has no version, so that no empty line need follow. */
	if (len == 0 && (rack->http_flags & HTTP_COMPAT_UNICORN) != 0 &&
	    rack->self->settings.personality == RFK_UNICORN)
		len = http_head_old_end(in->data, in->len);
	if (len == 0) {
		req->searched = in->len;
		return -http_head_overrun(in->data, in->len, &rack->limits);
	}
	status = http_head_parse(
	    in->data, len, rack->http_flags, &rack->limits, &rack->head);
	if (status != 0)
		return -status;
	if (most > 0 && rack->head.content_length > most)
		return -413;
	req->head_len = len;
	if (body_begin(req, &rack->head) < 0)
		return -503;
	return 1;
}

/* A file without a name where Dir.tmpdir would be. */
static int
file_open(void)
{
	const char *dir = getenv("TMPDIR");
	char path[4096];
	int fd;

	if (dir == NULL || dir[0] == '\0')
		dir = "/tmp";
	fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0)
		return fd;
	snprintf(path, sizeof(path), "%s/reforkd-XXXXXX", dir);
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		(void)unlink(path);
	return fd >= 0 ? fd : -errno;
}

static int
body_write(struct request *req, const char *bytes, size_t len)
{
	if (req->file < 0)
		return buf_put(&req->body, bytes, len);
	return fd_write_all(req->file, bytes, len);
}

/* What is in memory moves to a file when the body outgrows the buffer. */
static int
body_spill(struct request *req)
{
	int fd = file_open();
	int rc;

	if (fd < 0)
		return fd;
	req->file = fd;
	rc = fd_write_all(fd, req->body.data, req->body.len);
	buf_reset(&req->body);
	return rc;
}

/* 0 or -status. */
static int
body_put(struct request *req, const struct rfk_settings_table *set,
    const char *bytes, size_t len)
{
	uint64_t total = req->body_len + len;
	uint64_t whole = total;
	int rc = 0;

	if (set->client_max_body_size > 0 &&
	    total > (uint64_t)set->client_max_body_size)
		return -413;
	if (!req->is_chunked && req->content_length > 0)
		whole = (uint64_t)req->content_length;
	if (req->file < 0 && !req->is_streamed &&
	    whole > (uint64_t)set->client_body_buffer_size)
		rc = body_spill(req);
	if (rc == 0)
		rc = body_write(req, bytes, len);
	if (rc < 0) {
		log_error("a request body cannot be kept: %s", strerror(-rc));
		return rc == -ENOSPC ? -507 : -503;
	}
	req->body_len = total;
	return 0;
}

static int
chunked_body(struct request *req, const struct rfk_settings_table *set,
    const char *bytes, size_t len, size_t *used)
{
	while (*used < len && !chunked_is_done(&req->chunked)) {
		struct http_slice data = { NULL, 0 };
		ssize_t n = chunked_feed(
		    &req->chunked, bytes + *used, len - *used, &data);
		int rc;

		if (n < 0)
			return -400;
		*used += (size_t)n;
		rc = data.len > 0 ? body_put(req, set, data.at, data.len) : 0;
		if (rc < 0)
			return rc;
		if (n == 0)
			break;
	}
	return chunked_is_done(&req->chunked) ? 1 : 0;
}

int
request_body(struct request *req, const struct rfk_settings_table *set,
    const char *bytes, size_t len, size_t *used)
{
	uint64_t left;
	int rc;

	*used = 0;
	if (!req->has_body)
		return 1;
	if (req->is_chunked)
		return chunked_body(req, set, bytes, len, used);
	left = (uint64_t)req->content_length - req->body_len;
	if (len > left)
		len = (size_t)left;
	rc = len > 0 ? body_put(req, set, bytes, len) : 0;
	if (rc < 0)
		return rc;
	*used = len;
	return req->body_len == (uint64_t)req->content_length ? 1 : 0;
}

bool
request_is_complete(const struct request *req)
{
	if (!req->has_body)
		return true;
	if (req->is_chunked)
		return chunked_is_done(&req->chunked);
	return req->body_len == (uint64_t)req->content_length;
}

size_t
request_wants(const struct request *req, size_t most)
{
	uint64_t left;

	if (req->is_chunked)
		return most;
	left = (uint64_t)req->content_length - req->body_len;
	return left < most ? (size_t)left : most;
}
