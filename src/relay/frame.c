/*
 * frame.c - a header of lines, an empty line, and as many bytes as it said.
 */
#include "relay/frame.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

void
frame_fini(struct frame *f)
{
	buf_fini(&f->bytes);
	memset(f, 0, sizeof(*f));
}

int
frame_put(struct frame *f, const void *bytes, size_t len)
{
	return buf_put(&f->bytes, bytes, len);
}

int
frame_write(struct buf *out, const char *body, size_t len)
{
	if (buf_printf(out, "Content-Length: %zu\r\n\r\n", len) < 0)
		return -ENOMEM;
	return buf_put(out, body, len);
}

/* With the beginning of what came, for it is often a program's own words. */
static int
wrong(const struct frame *f, struct fail *why, const char *text)
{
	char said[64];
	size_t i, n = f->bytes.len;

	if (n > sizeof(said) - 1)
		n = sizeof(said) - 1;
	for (i = 0; i < n; i++)
		said[i] = (char)(isprint((unsigned char)f->bytes.data[i])
				     ? f->bytes.data[i]
				     : ' ');
	said[n] = '\0';
	return fail_set(why, EPROTO, "%s, at \"%s\"", text, said);
}

static bool
length_of(const char *text, size_t len, size_t *out)
{
	size_t n = 0;

	while (len > 0 && (*text == ' ' || *text == '\t')) {
		text++;
		len--;
	}
	while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
		len--;
	if (len == 0)
		return false;
	for (; len > 0; text++, len--) {
		if (*text < '0' || *text > '9')
			return false;
		n = n * 10 + (size_t)(*text - '0');
		if (n > FRAME_BODY_MAX)
			return false;
	}
	*out = n;
	return true;
}

static int
line_read(
    struct frame *f, const char *line, size_t len, bool *seen, struct fail *why)
{
	static const char name[] = "Content-Length";
	const char *colon = memchr(line, ':', len);
	size_t i, before = colon != NULL ? (size_t)(colon - line) : 0;

	if (before == 0)
		return wrong(f, why, "a line of the header is no NAME: VALUE");
	for (i = 0; i < len; i++)
		if (line[i] != '\t' && iscntrl((unsigned char)line[i]))
			return wrong(
			    f, why, "the header has a byte that no header has");
	if (before != sizeof(name) - 1 || strncasecmp(line, name, before) != 0)
		return 0;
	if (*seen)
		return wrong(f, why, "Content-Length comes twice");
	*seen = true;
	if (!length_of(colon + 1, len - before - 1, &f->body))
		return wrong(
		    f, why, "Content-Length is not a number up to 67108864");
	return 0;
}

/* 1 = whole, 0 = more is to come, -EPROTO. */
static int
head_read(struct frame *f, struct fail *why)
{
	const char *line = f->bytes.data, *end;
	size_t left = f->bytes.len;
	bool seen = false;
	int rc;

	if (memmem(f->bytes.data, left < FRAME_HEAD_MAX ? left : FRAME_HEAD_MAX,
		"\r\n\r\n", 4) == NULL) {
		if (left >= FRAME_HEAD_MAX)
			return wrong(
			    f, why, "no header ends within 4096 bytes");
		return 0;
	}
	while ((end = memmem(line, left, "\r\n", 2)) != line) {
		rc = line_read(f, line, (size_t)(end - line), &seen, why);
		if (rc < 0)
			return rc;
		left -= (size_t)(end - line) + 2;
		line = end + 2;
	}
	if (!seen)
		return wrong(f, why, "a header without Content-Length");
	f->head = (size_t)(line - f->bytes.data) + 2;
	return 1;
}

int
frame_next(struct frame *f, const char **body, size_t *len, struct fail *why)
{
	int rc;

	buf_drop(&f->bytes, f->taken);
	f->taken = 0;
	if (f->head == 0) {
		if (f->bytes.len == 0)
			return 0;
		rc = head_read(f, why);
		if (rc <= 0)
			return rc;
	}
	if (f->bytes.len - f->head < f->body)
		return 0;
	*body = f->bytes.data + f->head;
	*len = f->body;
	f->taken = f->head + f->body;
	f->head = 0;
	return 1;
}
