/*
 * escape.c - text as one word of a line.
 */
#include "base/escape.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>

static bool
is_plain(unsigned char c)
{
	return c > 0x20 && c < 0x7f && c != '%';
}

int
escape_put(struct buf *out, const char *text, size_t len)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t i;

	for (i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		char three[3] = { '%', digits[c >> 4], digits[c & 15] };
		int rc = is_plain(c) ? buf_put(out, &text[i], 1)
				     : buf_put(out, three, sizeof(three));

		if (rc < 0)
			return rc;
	}
	return 0;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

int
escape_undo(char *text)
{
	const char *in = text;
	char *out = text;

	while (*in != '\0') {
		int high, low;

		if (*in != '%') {
			*out++ = *in++;
			continue;
		}
		high = hex_digit(in[1]);
		low = high < 0 ? -1 : hex_digit(in[2]);
		if (low < 0 || (high == 0 && low == 0))
			return -EINVAL;
		*out++ = (char)(high * 16 + low);
		in += 3;
	}
	*out = '\0';
	return out - text > INT_MAX ? INT_MAX : (int)(out - text);
}
