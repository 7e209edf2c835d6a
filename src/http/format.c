/* format.c - lines of a response. */
#include "http/format.h"

#include "http/chars.h"
#include "http/status.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#define DATE_LEN 37

static bool
value_is_safe(struct http_slice value)
{
	for (size_t i = 0; i < value.len; i++) {
		char c = value.at[i];

		if (c == '\r' || c == '\n' || c == '\0')
			return false;
	}
	return true;
}

static bool
name_is_token(struct http_slice name)
{
	for (size_t i = 0; i < name.len; i++)
		if (!http_char_is(name.at[i], HTTP_TCHAR))
			return false;
	return name.len > 0;
}

/* Room was made; to == NULL never happens after a reserve above 0. */
static char *
append(char *to, const char *bytes, size_t len)
{
	if (len > 0)
		memcpy(to, bytes, len);
	return to + len;
}

int
format_status(struct buf *out, int code, struct http_slice reason)
{
	struct http_slice line = http_status_line(code);
	char digits[] = "HTTP/1.1 000 ", *p;

	if (reason.len == 0 && line.len > 0)
		return buf_put(out, line.at, line.len);
	if (code < 100 || code > 999 || !value_is_safe(reason))
		return -EINVAL;
	if (buf_reserve(out, sizeof(digits) + reason.len + 2) < 0)
		return -ENOMEM;
	digits[9] = (char)('0' + code / 100);
	digits[10] = (char)('0' + code / 10 % 10);
	digits[11] = (char)('0' + code % 10);
	p = append(out->data + out->len, digits, sizeof(digits) - 1);
	p = append(p, reason.at, reason.len);
	p = append(p, "\r\n", 2);
	out->len = (size_t)(p - out->data);
	return 0;
}

static void
two_digits(char *to, int64_t n)
{
	to[0] = (char)('0' + n / 10 % 10);
	to[1] = (char)('0' + n % 10);
}

/*
 * Not gmtime: it takes a lock of libc's, and another thread of the application
 * may have held it when this process was forked. Days become a date by Howard
 * Hinnant's rule, with years that begin in March.
 */
static void
date_write(char *line, time_t now)
{
	static const char days[] = "ThuFriSatSunMonTueWed";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	int64_t seconds = now > 0 ? (int64_t)now : 0, day = seconds / 86400;
	int64_t shifted = day + 719468, era = shifted / 146097;
	int64_t of_era = shifted % 146097;
	int64_t year =
	    (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * of_year + 2) / 153; /* 0 = March */

	memcpy(line, "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n", DATE_LEN + 1);
	memcpy(line + 6, days + day % 7 * 3, 3);
	two_digits(line + 11, of_year - (153 * month + 2) / 5 + 1);
	memcpy(line + 14, months + (month + 2) % 12 * 3, 3);
	year += era * 400 + (month >= 10);
	two_digits(line + 18, year / 100);
	two_digits(line + 20, year);
	two_digits(line + 23, seconds / 3600 % 24);
	two_digits(line + 26, seconds / 60 % 60);
	two_digits(line + 29, seconds % 60);
}

int
format_date(struct buf *out, struct http_date *cache, time_t now)
{
	if (cache->at != now || cache->line[0] == '\0') {
		date_write(cache->line, now);
		cache->at = now;
	}
	return buf_put(out, cache->line, DATE_LEN);
}

int
format_field(struct buf *out, struct http_slice name, struct http_slice value)
{
	char *p;

	if (!name_is_token(name) || !value_is_safe(value))
		return -EINVAL;
	if (buf_reserve(out, name.len + value.len + 4) < 0)
		return -ENOMEM;
	p = append(out->data + out->len, name.at, name.len);
	p = append(p, ": ", 2);
	p = append(p, value.at, value.len);
	p = append(p, "\r\n", 2);
	out->len = (size_t)(p - out->data);
	return 0;
}

int
format_chunk(struct buf *out, size_t len)
{
	char line[2 * sizeof(len) + 2], *p = line + sizeof(line);

	*--p = '\n';
	*--p = '\r';
	do
		*--p = "0123456789abcdef"[len & 15];
	while ((len >>= 4) > 0);
	return buf_put(out, p, (size_t)(line + sizeof(line) - p));
}

int
format_chunk_end(struct buf *out)
{
	return buf_put(out, "\r\n", 2);
}

/* first, n fields, the empty line; all of it or nothing. */
static int
block(struct buf *out, const char *first, const struct http_field *fields,
    size_t n)
{
	size_t before = out->len;
	int rc = buf_puts(out, first);

	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = format_field(out, fields[i].name, fields[i].value);
	if (rc == 0)
		rc = buf_put(out, "\r\n", 2);
	if (rc < 0)
		out->len = before;
	return rc;
}

int
format_last_chunk(struct buf *out, const struct http_field *trailers, size_t n)
{
	return block(out, "0\r\n", trailers, n);
}

int
format_error_bare(struct buf *out, int code)
{
	size_t before = out->len;
	int rc = format_status(out, code, (struct http_slice){ 0 });

	if (rc == 0)
		rc = buf_puts(out, "\r\n");
	if (rc < 0)
		out->len = before;
	return rc;
}

int
format_error(struct buf *out, int code, struct http_date *cache, time_t now)
{
	size_t before = out->len;
	int rc = format_status(out, code, (struct http_slice){ 0 });

	if (rc == 0 && cache)
		rc = format_date(out, cache, now);
	if (rc == 0)
		rc = block(
		    out, "Content-Length: 0\r\nConnection: close\r\n", NULL, 0);
	if (rc < 0)
		out->len = before;
	return rc;
}

int
format_continue(struct buf *out)
{
	return block(out, "HTTP/1.1 100 Continue\r\n", NULL, 0);
}

int
format_early_hints(struct buf *out, const struct http_field *fields, size_t n)
{
	return block(out, "HTTP/1.1 103 Early Hints\r\n", fields, n);
}
