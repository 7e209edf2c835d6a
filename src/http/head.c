/* head.c - request line, target, fields, meaning, in the order of the bytes. */
#include "http/head.h"

#include "http/chars.h"
#include "http/meaning.h"
#include "http/parser.h"
#include "http/target.h"

#include <errno.h>
#include <string.h>

#define METHOD_MAX 20
#define VERSION_LEN 8 /* HTTP/1.1 */

size_t
http_head_blank(const char *buf, size_t len)
{
	size_t i = 0;

	while (len - i >= 2 && buf[i] == '\r' && buf[i + 1] == '\n')
		i += 2;
	return i;
}

/*
 * The empty line is found however its line ends are spelt, so that a head which
 * will be refused for them is refused now and not at its deadline.
 */
size_t
http_head_end(const char *buf, size_t len, size_t from)
{
	const char *p, *end = buf + len, *lf;
	size_t blank = 0;

	if (len > 0 && buf[0] == '\r')
		blank = http_head_blank(buf, len);
	/* "LF CR" may have been the last two bytes of the last search. */
	p = buf + (from > blank + 2 ? from - 2 : blank);
	while (p < end && (lf = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		p = lf + 1;
		if (p < end && *p == '\n')
			return (size_t)(p + 1 - buf);
		if (end - p >= 2 && p[0] == '\r' && p[1] == '\n')
			return (size_t)(p + 2 - buf);
	}
	return 0;
}

size_t
http_head_old_end(const char *buf, size_t len)
{
	size_t blank = http_head_blank(buf, len);
	const char *p = buf + blank;
	const char *lf = memchr(p, '\n', len - blank), *space;

	if (!lf)
		return 0;
	space = memchr(p, ' ', (size_t)(lf - p));
	if (!space || memchr(space + 1, ' ', (size_t)(lf - space - 1)))
		return 0;
	return (size_t)(lf + 1 - buf);
}

int
http_head_overrun(const char *buf, size_t len, const struct http_limits *limits)
{
	size_t blank = http_head_blank(buf, len);
	size_t line = METHOD_MAX + limits->target + limits->fragment +
		      VERSION_LEN + 5; /* two spaces, "#", CR, LF */

	/* TLS on a plain port waits for an answer, and never ends a line. */
	if (len > blank && buf[blank] != '\r' &&
	    !http_char_is(buf[blank], HTTP_TCHAR))
		return 400;
	if (len > limits->head)
		return 413;
	if (len - blank > line && !memchr(buf + blank, '\n', len - blank))
		return 414;
	return 0;
}

/* *p is moved over digits, which saturate: nobody needs version 10000. */
static unsigned
number(const char **p, const char *end)
{
	unsigned n = 0;

	for (; *p < end && http_char_is(**p, HTTP_DIGIT); (*p)++)
		if (n < 1000)
			n = n * 10 + (unsigned)(**p - '0');
	return n;
}

/* 0, 400 or 505. RFC 9112 2.3 has one digit on each side of the dot. */
static int
version_parse(struct http_head *head, unsigned flags)
{
	const char *p = head->version.at, *end = p + head->version.len, *start;

	if (head->version.len < VERSION_LEN || memcmp(p, "HTTP/", 5) != 0)
		return 400;
	start = p += 5;
	head->major = number(&p, end);
	if (p == start || p == end || *p != '.')
		return 400;
	start = ++p;
	head->minor = number(&p, end);
	if (p == start || p != end)
		return 400;
	if (flags & HTTP_COMPAT_UNICORN)
		return 0;
	if (head->version.len != VERSION_LEN || head->major == 0)
		return 400;
	return head->major > 1 ? 505 : 0;
}

/*
 * Splits the request line at p and sets *rest behind it; 0 or a status. With no
 * version, which only HTTP_COMPAT_UNICORN lets pass, version.len stays 0.
 */
static int
line_parse(struct http_head *head, const char *p, const char *end,
    unsigned flags, const char **rest)
{
	const char *eol = memchr(p, '\n', (size_t)(end - p)), *q = p;

	if (!eol)
		return 400;
	*rest = eol + 1;
	if (eol > p && eol[-1] == '\r')
		eol--;
	else if (!(flags & HTTP_COMPAT_UNICORN))
		return 400;
	while (q < eol && http_char_is(*q, HTTP_TCHAR))
		q++;
	if (q == p || q - p > METHOD_MAX || q == eol || *q != ' ')
		return 400;
	head->method = (struct http_slice){ p, (size_t)(q - p) };
	p = ++q;
	q = memchr(p, ' ', (size_t)(eol - p));
	head->target = (struct http_slice){ p, (size_t)((q ? q : eol) - p) };
	if (head->target.len == 0)
		return 400;
	if (q) {
		q++;
		head->version = (struct http_slice){ q, (size_t)(eol - q) };
		return version_parse(head, flags);
	}
	head->minor = 9;
	return ((flags & HTTP_COMPAT_UNICORN) && *rest == end &&
		   http_slice_is(head->method, "get"))
		   ? 0
		   : 400;
}

/*
 * The library never sees the method, which it may not know: it reads "GET" in
 * front of what the client sent. Of a line that it might refuse for its
 * version, or for what only HTTP_COMPAT_UNICORN takes, it sees a plain one
 * instead.
 */
static int
library_read(
    struct http_head *head, const char *rest, const char *end, unsigned flags)
{
	struct http_slice parts[2];

	if (head->minor > 1 || (flags & HTTP_COMPAT_UNICORN)) {
		parts[0] = HTTP_SLICE("GET / HTTP/1.1\r\n");
	} else {
		parts[0] = HTTP_SLICE("GET");
		rest = head->target.at - 1;
	}
	parts[1] = (struct http_slice){ rest, (size_t)(end - rest) };
	return parser_fields(parts, 2, flags, head->fields, HTTP_FIELDS_MAX);
}

static bool
same_field(const struct http_field *theirs, const struct http_field *ours)
{
	return theirs->name.at == ours->name.at &&
	       theirs->name.len == ours->name.len &&
	       (ours->value.len == 0
		       ? theirs->value.len == 0
		       : theirs->value.at == ours->value.at &&
			     theirs->value.len >= ours->value.len);
}

/*
 * The library finds the fields, field.c reads the same bytes by the grammar,
 * and a head on which the two disagree is refused: a byte that one of them
 * skips or folds is what request smuggling is made of.
 */
static int
fields_parse(struct http_head *head, const char *p, const char *end,
    unsigned flags, const struct http_limits *limits)
{
	int n = library_read(head, p, end, flags), rc;
	struct http_field field = { 0 };
	size_t i;

	if (n < 0)
		return n == -E2BIG ? 431 : 400;
	head->nfields = (size_t)n;
	for (i = 0;; i++) {
		rc = http_field_read(&p, end, flags, &field);
		if (rc != 0)
			break;
		if (i == head->nfields || !same_field(&head->fields[i], &field))
			return 400;
		if (field.name.len > limits->name ||
		    field.value.len > limits->value)
			return 400;
		head->fields[i].value = field.value;
	}
	return (rc == 1 && i == head->nfields && p == end) ? 0 : 400;
}

int
http_head_parse(const char *buf, size_t len, unsigned flags,
    const struct http_limits *limits, struct http_head *out)
{
	const char *end = buf + len, *p = buf + http_head_blank(buf, len);
	int status;

	/* Not the fields: they are 8 KiB, and nfields says which are set. */
	memset(out, 0, offsetof(struct http_head, fields));
	out->content_length = -1;
	if ((size_t)(end - p) > limits->head)
		return 413;
	status = line_parse(out, p, end, flags, &p);
	if (status == 0)
		status = http_target_parse(out, flags, limits);
	if (status != 0 || out->version.len == 0)
		return status;
	status = fields_parse(out, p, end, flags, limits);
	return status != 0 ? status : http_head_mean(out, flags);
}
