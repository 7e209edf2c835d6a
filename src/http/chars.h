/*
 * chars.h - what each byte may be in a request head, as one table.
 *
 * Runs in:    worker
 * Owns:       nothing; the table is constant
 * After fork: nothing to do
 * Raises:     never
 */
#ifndef HTTP_CHARS_H
#define HTTP_CHARS_H

#include <stdbool.h>

/* Bits of a byte's row. */
enum http_char {
	HTTP_TCHAR = 1 << 0,   /* token: methods, field names, codings */
	HTTP_VALUE = 1 << 1,   /* field value: HTAB, SP, VCHAR, obs-text */
	HTTP_URI = 1 << 2,     /* request target, see below */
	HTTP_REGNAME = 1 << 3, /* host name of RFC 3986, without "%" */
	HTTP_DIGIT = 1 << 4,
	HTTP_HEX = 1 << 5,
	HTTP_BLANK = 1 << 6 /* SP and HTAB: optional whitespace */
};

/*
 * HTTP_URI is wider than RFC 3986: every visible byte but "#" and "%", because
 * browsers send | { } ^ [ ] in queries as typed. None of them can end a line or
 * a word. Bytes above 0x7f are not in it: no browser sends them, and libllhttp
 * does not take them.
 */
extern const unsigned char http_chars[256];

static inline bool
http_char_is(char c, enum http_char kind)
{
	return (http_chars[(unsigned char)c] & kind) != 0;
}

#endif
