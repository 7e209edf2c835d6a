/* chunked.c - a state for each place where the input may have been cut. */
#include "http/chunked.h"

#include "http/chars.h"

#include <errno.h>
#include <string.h>

#define DIGITS_MAX 16

void
chunked_init(struct chunked *c, char *trailers, size_t cap)
{
	*c = (struct chunked){ .trailers = trailers, .trailers_cap = cap };
}

bool
chunked_is_done(const struct chunked *c)
{
	return c->state == CHUNKED_DONE;
}

static int
hex_value(char c)
{
	if (!http_char_is(c, HTTP_HEX))
		return -1;
	return c <= '9' ? c - '0' : (c & 0x0f) + 9;
}

/*
 * One more byte of a size. Leading zeros count as digits, since a size of a
 * thousand of them is no size either.
 */
static int
on_size(struct chunked *c, char byte)
{
	int digit = hex_value(byte);

	if (digit >= 0) {
		if (++c->digits > DIGITS_MAX || c->left > INT64_MAX >> 4)
			return -EPROTO;
		c->left = c->left << 4 | (unsigned)digit;
		c->state = CHUNKED_DIGITS;
	} else if (c->digits == 0) {
		return -EPROTO;
	} else if (byte == '\r') {
		c->state = CHUNKED_SIZE_LF;
	} else if (byte == ';') {
		c->state = CHUNKED_EXT;
	} else if (http_char_is(byte, HTTP_BLANK)) {
		c->state = CHUNKED_EXT_BLANK;
	} else {
		return -EPROTO;
	}
	return 0;
}

static int
on_ext(struct chunked *c, char byte)
{
	if (byte == '\r') {
		/* "5 CRLF" has whitespace and no extension: not the grammar. */
		if (c->state == CHUNKED_EXT_BLANK)
			return -EPROTO;
		c->state = CHUNKED_SIZE_LF;
	} else if (!http_char_is(byte, HTTP_VALUE)) {
		return -EPROTO;
	} else if (c->state == CHUNKED_EXT_BLANK &&
		   !http_char_is(byte, HTTP_BLANK)) {
		if (byte != ';')
			return -EPROTO;
		c->state = CHUNKED_EXT;
	}
	return 0;
}

/* The line of a size is over: payload follows, or after size 0 the trailers. */
static int
on_size_end(struct chunked *c, char byte)
{
	int64_t paid = 16;

	if (byte != '\n')
		return -EPROTO;
	if (c->left <= CHUNKED_EXCESS_MAX)
		paid += 2 * (int64_t)c->left;
	else
		paid += 2 * CHUNKED_EXCESS_MAX;
	c->excess = c->excess > paid ? c->excess - paid : 0;
	c->state = c->left > 0 ? CHUNKED_DATA : CHUNKED_LINE;
	return 0;
}

/* Keeps one byte of the trailer section. */
static int
on_trailer(struct chunked *c, char byte)
{
	if (c->trailers_len == c->trailers_cap)
		return -EMSGSIZE;
	c->trailers[c->trailers_len++] = byte;
	switch (c->state) {
	case CHUNKED_TRAILER_LF:
		c->state = CHUNKED_LINE;
		return byte == '\n' ? 0 : -EPROTO;
	case CHUNKED_LINE:
		c->state = CHUNKED_TRAILER;
		return http_char_is(byte, HTTP_TCHAR) ? 0 : -EPROTO;
	default:
		if (byte == '\r')
			c->state = CHUNKED_TRAILER_LF;
		else if (!http_char_is(byte, HTTP_VALUE))
			return -EPROTO;
		return 0;
	}
}

static int
expect(struct chunked *c, char byte, char want, enum chunked_state next)
{
	c->state = next;
	return byte == want ? 0 : -EPROTO;
}

/* One byte that is not payload: 0, -EPROTO or -EMSGSIZE. */
static int
step(struct chunked *c, char byte)
{
	switch (c->state) {
	case CHUNKED_SIZE:
	case CHUNKED_DIGITS:
		return ++c->excess > CHUNKED_EXCESS_MAX ? -EMSGSIZE
							: on_size(c, byte);
	case CHUNKED_EXT_BLANK:
	case CHUNKED_EXT:
		return ++c->excess > CHUNKED_EXCESS_MAX ? -EMSGSIZE
							: on_ext(c, byte);
	case CHUNKED_SIZE_LF:
		return on_size_end(c, byte);
	case CHUNKED_DATA_CR:
		return expect(c, byte, '\r', CHUNKED_DATA_LF);
	case CHUNKED_DATA_LF:
		c->digits = 0;
		return expect(c, byte, '\n', CHUNKED_SIZE);
	case CHUNKED_LINE:
		if (byte == '\r') {
			c->state = CHUNKED_END_LF;
			return 0;
		}
		return on_trailer(c, byte);
	case CHUNKED_TRAILER:
	case CHUNKED_TRAILER_LF:
		return on_trailer(c, byte);
	case CHUNKED_END_LF:
		return expect(c, byte, '\n', CHUNKED_DONE);
	case CHUNKED_DATA:
	case CHUNKED_DONE:
	case CHUNKED_BROKEN:
		break;
	}
	return -EPROTO;
}

ssize_t
chunked_feed(
    struct chunked *c, const char *in, size_t len, struct http_slice *data)
{
	size_t i = 0;
	int rc;

	*data = (struct http_slice){ in, 0 };
	if (c->state == CHUNKED_BROKEN)
		return -EPROTO;
	while (
	    i < len && c->state != CHUNKED_DATA && c->state != CHUNKED_DONE) {
		rc = step(c, in[i]);
		if (rc < 0) {
			c->state = CHUNKED_BROKEN;
			return rc;
		}
		i++;
	}
	if (i < len && c->state == CHUNKED_DATA) {
		data->at = in + i;
		data->len = c->left < len - i ? (size_t)c->left : len - i;
		i += data->len;
		c->left -= data->len;
		c->total += data->len;
		if (c->left == 0)
			c->state = CHUNKED_DATA_CR;
	}
	return (ssize_t)i;
}

/* Underscores count as dashes: a CGI variable cannot tell them apart. */
static bool
comes_too_late(struct http_slice name)
{
	static const char *const words[] = { "host", "content-length",
		"transfer-encoding" };
	char spelt[32];

	if (name.len > sizeof(spelt))
		return false;
	for (size_t i = 0; i < name.len; i++)
		spelt[i] = name.at[i] == '_' ? '-' : name.at[i];
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (http_slice_is(
			(struct http_slice){ spelt, name.len }, words[i]))
			return true;
	return false;
}

int
chunked_trailers(const struct chunked *c, struct http_field *fields, size_t cap)
{
	const char *p = c->trailers, *end;
	size_t n = 0;

	if (c->trailers_len == 0)
		return 0;
	end = p + c->trailers_len;
	while (p < end) {
		if (n == cap)
			return -E2BIG;
		if (http_field_read(&p, end, 0, &fields[n]) != 0)
			return -EPROTO;
		if (comes_too_late(fields[n].name))
			return -EPROTO;
		n++;
	}
	return (int)n;
}
