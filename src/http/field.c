/* field.c - one field line, and the lists in values. */
#include "http/field.h"

#include "http/chars.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

static char
lower(char c)
{
	return (c >= 'A' && c <= 'Z') ? (char)(c + ('a' - 'A')) : c;
}

bool
http_slice_is(struct http_slice s, const char *word)
{
	for (size_t i = 0; i < s.len; i++)
		if (word[i] == '\0' || lower(s.at[i]) != lower(word[i]))
			return false;
	return word[s.len] == '\0';
}

static struct http_slice
trimmed(const char *from, const char *to)
{
	while (from < to && http_char_is(*from, HTTP_BLANK))
		from++;
	while (to > from && http_char_is(to[-1], HTTP_BLANK))
		to--;
	return (struct http_slice){ from, (size_t)(to - from) };
}

bool
http_list_next(struct http_slice *rest, struct http_slice *item)
{
	const char *comma, *end;

	if (rest->len == 0)
		return false;
	end = rest->at + rest->len;
	comma = memchr(rest->at, ',', rest->len);
	if (!comma) {
		*item = trimmed(rest->at, end);
		*rest = (struct http_slice){ end, 0 };
		return true;
	}
	*item = trimmed(rest->at, comma);
	/* "a," has two members; the blank left here becomes the second one. */
	if (comma + 1 == end)
		*rest = HTTP_SLICE(" ");
	else
		*rest =
		    (struct http_slice){ comma + 1, (size_t)(end - comma - 1) };
	return true;
}

bool
http_list_has(struct http_slice list, const char *word)
{
	struct http_slice item;

	while (http_list_next(&list, &item))
		if (http_slice_is(item, word))
			return true;
	return false;
}

/*
 * The first byte that no value may hold, eight bytes at a time: below 0x20, or
 * 0x7f. A tab stops the wide loop too, so the narrow one carries on over it.
 */
static const char *
value_end(const char *p, const char *end)
{
	uint64_t word, low, del;

	while (end - p >= 8) {
		memcpy(&word, p, sizeof(word));
		low = (word - EACH(0x20)) & ~word & EACH(0x80);
		del = word ^ EACH(0x7f);
		del = (del - EACH(0x01)) & ~del & EACH(0x80);
		if (!(low | del)) {
			p += 8;
			continue;
		}
		for (int i = 0; i < 8; i++, p++)
			if (!http_char_is(*p, HTTP_VALUE))
				return p;
	}
	while (p < end && http_char_is(*p, HTTP_VALUE))
		p++;
	return p;
}

/* Moves *p over a line end. 0, or -EPROTO when there is none. */
static int
line_end(const char **p, const char *end, unsigned flags)
{
	if (end - *p >= 2 && (*p)[0] == '\r' && (*p)[1] == '\n') {
		*p += 2;
		return 0;
	}
	if ((flags & HTTP_COMPAT_UNICORN) && *p < end && **p == '\n') {
		*p += 1;
		return 0;
	}
	return -EPROTO;
}

int
http_field_read(
    const char **p, const char *end, unsigned flags, struct http_field *out)
{
	const char *name = *p, *at = name, *value;

	while (at < end && http_char_is(*at, HTTP_TCHAR))
		at++;
	if (at == name)
		return line_end(p, end, flags) < 0 ? -EPROTO : 1;
	if (at == end || *at != ':')
		return -EPROTO;
	out->name = (struct http_slice){ name, (size_t)(at - name) };
	value = at + 1;
	at = value_end(value, end);
	out->value = trimmed(value, at);
	if (line_end(&at, end, flags) < 0)
		return -EPROTO;
	*p = at;
	return 0;
}

int
http_cgi_name(struct http_slice name, char *out, size_t cap)
{
	char c;

	if (cap < 5 || name.len > cap - 5)
		return -ENOSPC;
	memcpy(out, "HTTP_", 5);
	for (size_t i = 0; i < name.len; i++) {
		c = name.at[i];
		if (c >= 'a' && c <= 'z')
			c = (char)(c - ('a' - 'A'));
		out[5 + i] = c == '-' ? '_' : c;
	}
	return (int)(5 + name.len);
}
