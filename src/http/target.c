/* target.c - origin-form, absolute-form, "*"; CONNECT is refused by its name.
 */
#include "http/target.h"

#include "http/chars.h"

#include <string.h>

static struct http_slice
between(const char *from, const char *to)
{
	return (struct http_slice){ from, (size_t)(to - from) };
}

/* The two digits of an escape at p. */
static bool
escape_is_good(const char *p, const char *end)
{
	return end - p >= 3 && http_char_is(p[1], HTTP_HEX) &&
	       http_char_is(p[2], HTTP_HEX);
}

/*
 * One walk over the bytes: 0 or 400, and where the first "?" and the first "#"
 * stand (end when absent). A second "#" is no byte of a fragment.
 */
static int
target_scan(struct http_slice target, unsigned flags, const char **query,
    const char **fragment)
{
	const char *end = target.at + target.len;

	*query = *fragment = end;
	for (const char *p = target.at; p < end; p++) {
		if (*p == '?' && *query == end && *fragment == end)
			*query = p;
		if (http_char_is(*p, HTTP_URI))
			continue;
		if (*p == '#' && *fragment == end)
			*fragment = p;
		else if (*p == '%' ? !escape_is_good(p, end)
				   : !(flags & HTTP_COMPAT_UNICORN) ||
					 (unsigned char)*p < 0x80)
			return 400;
	}
	if (*query > *fragment)
		*query = *fragment;
	return 0;
}

/*
 * "http://authority" before the path; *path is moved behind it. RFC 9110 4.2.1
 * wants an empty host refused, 4.2.4 userinfo too.
 */
static int
absolute_parse(struct http_head *head, unsigned flags, const char **path,
    const char *query)
{
	const char *p = *path, *at, *colon;

	colon = memchr(p, ':', (size_t)(query - p));
	if (!colon || query - colon < 3 || memcmp(colon, "://", 3) != 0)
		return 400;
	head->scheme = between(p, colon);
	if (!http_slice_is(head->scheme, "http") &&
	    !http_slice_is(head->scheme, "https"))
		return 400;
	p = colon + 3;
	*path = memchr(p, '/', (size_t)(query - p));
	if (!*path)
		*path = query;
	at = memrchr(p, '@', (size_t)(*path - p));
	if (at && !(flags & HTTP_COMPAT_UNICORN))
		return 400;
	head->authority = between(at ? at + 1 : p, *path);
	return head->authority.len == 0 ? 400 : 0;
}

static int
lengths_check(const struct http_head *head, const struct http_limits *limits,
    const char *fragment)
{
	size_t target = (size_t)(fragment - head->target.at);

	return (target > limits->target || head->path.len > limits->path ||
		   head->query.len > limits->query ||
		   head->fragment.len > limits->fragment)
		   ? 414
		   : 0;
}

static bool
asterisk_is_good(const struct http_head *head, unsigned flags)
{
	return head->target.len == 1 &&
	       ((flags & HTTP_COMPAT_UNICORN) ||
		   (head->method.len == 7 &&
		       memcmp(head->method.at, "OPTIONS", 7) == 0));
}

int
http_target_parse(
    struct http_head *head, unsigned flags, const struct http_limits *limits)
{
	const char *path = head->target.at, *query, *fragment;
	const char *end = path + head->target.len;
	int status;

	/* Too long is said before anything else: it needs no reading. */
	if (head->target.len > limits->target + limits->fragment + 1)
		return 414;
	if (!(flags & HTTP_COMPAT_UNICORN) && head->method.len == 7 &&
	    memcmp(head->method.at, "CONNECT", 7) == 0)
		return 501;
	if (target_scan(head->target, flags, &query, &fragment) != 0)
		return 400;
	if (*path == '*') {
		head->path = head->target;
		return asterisk_is_good(head, flags) ? 0 : 400;
	}
	if (*path != '/') {
		status = absolute_parse(head, flags, &path, query);
		if (status != 0)
			return status;
	}
	head->path = between(path, query);
	if (head->path.len == 0)
		head->path = HTTP_SLICE("/");
	head->has_query = query < fragment;
	if (head->has_query)
		head->query = between(query + 1, fragment);
	if (fragment < end)
		head->fragment = between(fragment + 1, end);
	status = lengths_check(head, limits, fragment);
	if (status == 0 && fragment < end && !(flags & HTTP_COMPAT_UNICORN))
		status = 400;
	return status;
}

/* Where the host of an authority ends, or NULL when it is no host. */
static const char *
host_end(const char *p, const char *end)
{
	const char *start = p;

	if (p < end && *p == '[') {
		p++;
		while (p < end &&
		       (http_char_is(*p, HTTP_HEX) || *p == ':' || *p == '.'))
			p++;
		return (p < end && *p == ']' && p - start > 2) ? p + 1 : NULL;
	}
	while (p < end) {
		if (http_char_is(*p, HTTP_REGNAME))
			p++;
		else if (*p == '%' && escape_is_good(p, end))
			p += 3;
		else
			break;
	}
	return p;
}

static bool
port_is_good(const char *p, const char *end)
{
	unsigned port = 0;

	for (; p < end; p++) {
		if (!http_char_is(*p, HTTP_DIGIT))
			return false;
		port = port * 10 + (unsigned)(*p - '0');
		if (port > 65535)
			return false;
	}
	return true;
}

int
http_authority_parse(struct http_head *head, unsigned flags)
{
	const char *p = head->authority.at, *end = p + head->authority.len;
	const char *host;

	head->host = head->authority;
	if (head->authority.len == 0)
		return 0;
	host = host_end(p, end);
	if (!host || (host < end && *host != ':') ||
	    (host < end && !port_is_good(host + 1, end)) || host == p)
		return (flags & HTTP_COMPAT_UNICORN) ? 0 : 400;
	head->host = between(p, host);
	if (host < end)
		head->port = between(host + 1, end);
	return 0;
}
