/*
 * text.c - lines and units are counted anew each time: a document of a megabyte
 * takes a millisecond, and there is no index that could be wrong.
 */
#include "relay/text.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

/* Bytes of the character that begins with this one; anything odd counts 1. */
static size_t
bytes_of(unsigned char first)
{
	if (first >= 0xf0)
		return 4;
	if (first >= 0xe0)
		return 3;
	return first >= 0xc0 ? 2 : 1;
}

static size_t
units_of(size_t bytes, enum text_encoding encoding)
{
	switch (encoding) {
	case TEXT_UTF8:
		return bytes;
	case TEXT_UTF16:
		return bytes == 4 ? 2 : 1;
	case TEXT_UTF32:
		break;
	}
	return 1;
}

static bool
is_end(char c)
{
	return c == '\n' || c == '\r';
}

/* Where line n begins; false: there are not so many. */
static bool
line_find(const struct buf *text, size_t n, size_t *offset)
{
	size_t at = 0;

	for (; n > 0; n--) {
		while (at < text->len && !is_end(text->data[at]))
			at++;
		if (at == text->len) {
			*offset = at;
			return false;
		}
		if (text->data[at] == '\r' && at + 1 < text->len &&
		    text->data[at + 1] == '\n')
			at++;
		at++;
	}
	*offset = at;
	return true;
}

bool
text_find(const struct buf *text, struct text_place place,
    enum text_encoding encoding, size_t *offset)
{
	size_t units = 0, at;

	if (!line_find(text, place.line, &at)) {
		*offset = at;
		return false;
	}
	while (at < text->len && !is_end(text->data[at])) {
		size_t bytes = bytes_of((unsigned char)text->data[at]);
		size_t more = units_of(bytes, encoding);

		if (more > place.unit - units)
			break;
		units += more;
		at += bytes < text->len - at ? bytes : text->len - at;
	}
	*offset = at;
	return true;
}

int
text_replace(
    struct buf *text, size_t from, size_t to, const char *bytes, size_t len)
{
	size_t tail = text->len - to;

	if (len > to - from && buf_reserve(text, len - (to - from)) < 0)
		return -ENOMEM;
	if (text->data == NULL)
		return 0; /* nothing into nothing */
	memmove(text->data + from + len, text->data + to, tail);
	if (len > 0)
		memcpy(text->data + from, bytes, len);
	text->len = from + len + tail;
	return 0;
}
