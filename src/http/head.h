/*
 * head.h - a complete request head in, its meaning or a status out.
 *
 * Runs in:    worker
 * Owns:       nothing: every slice points into the caller's buffer (or to a
 *             constant), and lives as long as that
 * After fork: nothing to do
 * Raises:     never
 *
 * What HTTP_COMPAT_UNICORN takes beyond RFC 9112: lines that end in LF alone,
 * any version number, HTTP/0.9, a fragment, bytes above 0x7f in the target, "*"
 * with any method, userinfo, a missing, second or malformed Host, and any
 * Expect. Nothing that frames a body is looser.
 */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include "http/field.h"

#include <stdint.h>

/*
 * More fields than this are 431. Apache stops at 100; a browser behind three
 * proxies sends some 40; unicorn has no count, only its 112 KiB, of which 256
 * fields leave 448 bytes for each. At 32 bytes a field this is 8 KiB.
 */
#define HTTP_FIELDS_MAX 256

/* All in bytes; a length equal to the limit is still good. */
struct http_limits {
	size_t target;   /* 414; without the fragment */
	size_t path;     /* 414 */
	size_t query;    /* 414 */
	size_t fragment; /* 414 */
	size_t name;     /* 400; one field name */
	size_t value;    /* 400; one field value */
	size_t head;     /* 413; from the method to the empty line */
};

/* unicorn's numbers, which are the defaults of every personality. */
#define HTTP_LIMITS_INIT                                                       \
	{                                                                      \
		.target = 15360, .path = 4096, .query = 10240,                 \
		.fragment = 1024, .name = 256, .value = 81920, .head = 114688  \
	}

struct http_head {
	struct http_slice method;    /* as sent, also when nobody knows it */
	struct http_slice target;    /* as sent, with the fragment */
	struct http_slice version;   /* "HTTP/1.1" as sent; "" for HTTP/0.9 */
	struct http_slice path;      /* not decoded; "*" for OPTIONS * */
	struct http_slice query;     /* without "?" */
	struct http_slice fragment;  /* without "#"; compat only */
	struct http_slice scheme;    /* absolute-form only, as sent */
	struct http_slice authority; /* of the target, else the Host field */
	struct http_slice host;      /* of the authority; [::1] with brackets */
	struct http_slice port;      /* digits, or "" */
	bool has_query;              /* "/a?" has an empty one */
	bool has_host;               /* there was a Host field */
	bool chunked;
	bool keep_alive; /* what the client wishes and its version can do */
	bool connection_close; /* it said so */
	bool upgrade;          /* Upgrade and Connection: upgrade */
	bool expect_continue;  /* never for HTTP/1.0 */
	unsigned major;        /* of the version, 0 and 9 for HTTP/0.9 */
	unsigned minor;
	int64_t content_length; /* bytes, or -1 when the field is absent */
	size_t nfields;
	struct http_field fields[HTTP_FIELDS_MAX]; /* only nfields are set */
};

/*
 * How many bytes at the start of buf are empty lines, which may precede a
 * request (RFC 9112 2.2). They may be dropped before anything else is asked;
 * both functions below step over them too.
 */
size_t http_head_blank(const char *buf, size_t len);

/*
 * Looks for the end of the head, that is its empty line, in buf, of which
 * `from` bytes were searched by earlier calls (0 at first). Returns the number
 * of bytes up to and with the empty line, 0 when it is not there yet.
 */
size_t http_head_end(const char *buf, size_t len, size_t from);

/*
 * The same for HTTP/0.9, whose request is one line without a version: to be
 * asked with HTTP_COMPAT_UNICORN only, when http_head_end returned 0.
 */
size_t http_head_old_end(const char *buf, size_t len);

/*
 * Whether an incomplete head of len bytes has no hope left: 400 when no method
 * begins so, 414 when a request line without an end is longer than any good
 * one, 413 when the whole is longer than its limit, else 0. Ask it when
 * http_head_end returned 0.
 */
int http_head_overrun(
    const char *buf, size_t len, const struct http_limits *limits);

/*
 * Parses one complete head: len is what http_head_end returned. Returns 0, or
 * the status to refuse it with; the connection is to be closed then, since the
 * place where the next request begins is not known:
 *
 *   400  malformed, or framed in a way that two readers may read as two things
 *   413  the head is longer than its limit      414  the target or a part is
 *   417  an Expect other than 100-continue
 *   431  more than HTTP_FIELDS_MAX fields
 *   501  a transfer coding other than chunked; CONNECT, since this is an
 *        origin server without tunnels (405 would owe the client an Allow)
 *   505  a major version above 1
 *
 * *out is undefined after a refusal, except that method and target are slices
 * that may be logged (len 0 when not found).
 */
int http_head_parse(const char *buf, size_t len, unsigned flags,
    const struct http_limits *limits, struct http_head *out);

#endif
