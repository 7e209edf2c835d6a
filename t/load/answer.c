/*
 * answer.c - the body must be "ID LENGTH CRC\n" and then the id and a newline
 * repeated up to the asked length, so each byte is known in advance.
 */
#include "answer.h"
#include "body.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void
answer_begin(struct answer *a, const struct plan *p)
{
	int len;

	memset(a, 0, sizeof(*a));
	a->id = p->id;
	a->id_len = strlen(p->id);
	a->any_body = p->any;
	len = snprintf(a->line, sizeof(a->line), "%s %zu %08x\n", p->id,
	    p->body_len, (unsigned)body_crc(p->place, p->body_len));
	a->line_len = (size_t)len;
	a->expected = a->line_len + p->want;
}

static enum answer_state
wrong(struct answer *a, const char *why)
{
	a->why = why;
	return ANSWER_WRONG;
}

static enum answer_state
check_body(struct answer *a, const char *p, size_t n)
{
	size_t i, fill;
	char want;

	if (a->any_body)
		return ANSWER_MORE;
	if (n > a->expected - a->at)
		return wrong(a, "more body than expected");
	for (i = 0; i < n; i++, a->at++) {
		if (a->at < a->line_len) {
			want = a->line[a->at];
		} else {
			fill = (a->at - a->line_len) % (a->id_len + 1);
			want = fill < a->id_len ? a->id[fill] : '\n';
		}
		if (p[i] != want)
			return wrong(a, "a wrong byte in the body");
	}
	return ANSWER_MORE;
}

static enum answer_state
over(struct answer *a)
{
	a->phase = PHASE_OVER;
	if (a->at != a->expected && !a->any_body)
		return wrong(a, "the body is too short");
	return ANSWER_DONE;
}

/* One header field; false = it cannot be. */
static bool
take_field(struct answer *a, const char *name, const char *value, bool *length)
{
	char *end;

	if (strcasecmp(name, "content-length") == 0) {
		a->left = strtoul(value, &end, 10);
		if (*end != '\0' || end == value || *length)
			return false;
		*length = true;
		if (a->phase == PHASE_TO_EOF)
			a->phase = PHASE_FIXED;
	} else if (strcasecmp(name, "transfer-encoding") == 0) {
		if (strcasecmp(value, "chunked") != 0)
			return false;
		a->phase = PHASE_CHUNK_SIZE;
	} else if (strcasecmp(name, "connection") == 0) {
		if (strcasecmp(value, "close") == 0)
			a->close = true;
		else if (strcasecmp(value, "keep-alive") == 0)
			a->close = false;
	}
	return true;
}

static enum answer_state
take_head(struct answer *a)
{
	char *save = NULL, *line, *colon, *value;
	bool length = false;
	int minor;

	line = strtok_r(a->head, "\r\n", &save);
	if (line == NULL ||
	    sscanf(line, "HTTP/1.%d %d", &minor, &a->status) != 2)
		return wrong(a, "no status line");
	if (a->status >= 100 && a->status < 200) {
		a->head_len = 0;
		return a->status == 100 ? ANSWER_CONTINUE : ANSWER_MORE;
	}
	a->close = minor == 0;
	a->phase = PHASE_TO_EOF;
	while ((line = strtok_r(NULL, "\r\n", &save)) != NULL) {
		colon = strchr(line, ':');
		if (colon == NULL)
			return wrong(a, "a header line without a colon");
		*colon = '\0';
		for (value = colon + 1; *value == ' ' || *value == '\t';)
			value++;
		if (!take_field(a, line, value, &length))
			return wrong(a, "a bad header value");
	}
	if (a->phase == PHASE_CHUNK_SIZE && length)
		return wrong(a, "both Content-Length and chunked");
	if (a->phase == PHASE_TO_EOF)
		a->close = true;
	a->head_len = 0;
	if (a->status != 200)
		return ANSWER_STATUS;
	return a->phase == PHASE_FIXED && a->left == 0 ? over(a) : ANSWER_MORE;
}

static enum answer_state
take_line(struct answer *a)
{
	char *end;

	if (a->phase == PHASE_CHUNK_SIZE) {
		a->left = strtoul(a->head, &end, 16);
		if (end == a->head || (*end != '\r' && *end != ';'))
			return wrong(a, "a bad chunk size");
		a->phase = a->left == 0 ? PHASE_TRAILER : PHASE_CHUNK;
	} else if (a->phase == PHASE_CHUNK_END) {
		if (strcmp(a->head, "\r\n") != 0)
			return wrong(a, "no CRLF after a chunk");
		a->phase = PHASE_CHUNK_SIZE;
	} else if (strcmp(a->head, "\r\n") == 0) {
		return over(a);
	}
	a->head_len = 0;
	return ANSWER_MORE;
}

/* Collects a head or a line; such bytes are few, so one at a time. */
static enum answer_state
take_byte(struct answer *a, char c)
{
	if (a->head_len + 1 >= sizeof(a->head))
		return wrong(a, "a head or line that is too long");
	a->head[a->head_len++] = c;
	a->head[a->head_len] = '\0';
	if (c != '\n')
		return ANSWER_MORE;
	if (a->phase != PHASE_HEAD)
		return take_line(a);
	if (a->head_len >= 4 &&
	    memcmp(a->head + a->head_len - 4, "\r\n\r\n", 4) == 0)
		return take_head(a);
	return ANSWER_MORE;
}

static enum answer_state
take_bytes(struct answer *a, const char *p, size_t n)
{
	enum answer_state state = check_body(a, p, n);

	if (state != ANSWER_MORE || a->phase == PHASE_TO_EOF)
		return state;
	a->left -= n;
	if (a->left > 0)
		return ANSWER_MORE;
	if (a->phase == PHASE_FIXED)
		return over(a);
	a->phase = PHASE_CHUNK_END;
	return ANSWER_MORE;
}

enum answer_state
answer_feed(struct answer *a, const char *p, size_t n)
{
	enum answer_state state = ANSWER_MORE;
	bool continued = false;
	size_t i = 0, part;

	a->any = a->any || n > 0;
	while (i < n && (state == ANSWER_MORE || state == ANSWER_CONTINUE)) {
		part = n - i;
		switch (a->phase) {
		case PHASE_FIXED:
		case PHASE_CHUNK:
			part = part < a->left ? part : a->left;
			__attribute__((fallthrough));
		case PHASE_TO_EOF:
			state = take_bytes(a, p + i, part);
			break;
		default:
			part = 1;
			state = take_byte(a, p[i]);
		}
		i += part;
		continued = continued || state == ANSWER_CONTINUE;
	}
	if (state == ANSWER_DONE && i < n)
		return wrong(a, "bytes after the end of the answer");
	return state == ANSWER_MORE && continued ? ANSWER_CONTINUE : state;
}

enum answer_state
answer_eof(struct answer *a)
{
	if (a->phase == PHASE_TO_EOF && (a->any_body || a->at == a->expected))
		return over(a);
	a->why = a->any ? "cut off in the answer" : "closed without an answer";
	return ANSWER_MORE;
}
