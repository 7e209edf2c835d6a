/*
 * log.c - one line, one write(2), in the format of Ruby's Logger.
 */
#include "base/log.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* Longer lines are cut: a pipe takes more than one write apart. */
#define LINE_MAX_BYTES 8192

static const char *const names[] = { "DEBUG", "INFO", "WARN", "ERROR",
	"FATAL" };

static enum log_level lowest = LOG_LV_INFO;
static const char *progname = "";
static log_sink *sink;
static void *sink_arg;
static bool in_sink;

struct line {
	size_t len;
	size_t text; /* where the text starts, after the head */
	char bytes[LINE_MAX_BYTES + 1];
};

void
log_level_set(enum log_level level)
{
	lowest = level;
}

void
log_sink_set(log_sink *to, void *arg)
{
	sink = to;
	sink_arg = arg;
}

void
log_progname_set(const char *borrowed)
{
	progname = borrowed;
}

static void
head_put(struct line *line, enum log_level level)
{
	struct timeval now;
	struct tm tm;
	int n;

	(void)gettimeofday(&now, NULL);
	if (localtime_r(&now.tv_sec, &tm) == NULL)
		memset(&tm, 0, sizeof(tm));
	n = snprintf(line->bytes, 256,
	    "%c, [%04d-%02d-%02dT%02d:%02d:%02d.%06ld #%d] %5s -- %.64s: ",
	    names[level][0], tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
	    tm.tm_hour, tm.tm_min, tm.tm_sec, (long)now.tv_usec, (int)getpid(),
	    names[level], progname);
	line->len = n < 0 ? 0 : (size_t)n;
	line->text = line->len;
}

/* What c looks like in a log: itself, or an escape that stays on its line. */
static size_t
visible(unsigned char c, char out[8])
{
	if (c >= 0x20 && c != 0x7f) {
		out[0] = (char)c;
		return 1;
	}
	if (c == '\n' || c == '\t' || c == '\r') {
		out[0] = '\\';
		out[1] = c == '\n' ? 'n' : c == '\t' ? 't' : 'r';
		return 2;
	}
	return (size_t)snprintf(out, 8, "\\x%02X", (unsigned int)c);
}

/* Room is kept for the dots and the newline. */
static void
text_put(struct line *line, const char *text, size_t len)
{
	const size_t end = LINE_MAX_BYTES - 4;
	size_t i;

	for (i = 0; i < len; i++) {
		char out[8];
		size_t n = visible((unsigned char)text[i], out);

		if (line->len + n > end)
			break;
		memcpy(line->bytes + line->len, out, n);
		line->len += n;
	}
	if (i < len) {
		/* Not in the middle of a UTF-8 character. */
		while (i > 0 && ((unsigned char)text[i] & 0xc0) == 0x80 &&
		       line->len > line->text) {
			i--;
			line->len--;
		}
		memcpy(line->bytes + line->len, "...", 3);
		line->len += 3;
	}
}

/* The byte after the last is the caller's to spare. */
static void
line_write(char *bytes, size_t len)
{
	bytes[len] = '\n';
	while (write(STDERR_FILENO, bytes, len + 1) < 0 && errno == EINTR)
		continue;
}

void
log_put(const char *text)
{
	struct line line;
	int saved = errno;

	line.len = strnlen(text, LINE_MAX_BYTES);
	memcpy(line.bytes, text, line.len);
	line_write(line.bytes, line.len);
	errno = saved;
}

/* A sink that logs because it cannot send must not come back here. */
static bool
taken(struct line *line, enum log_level level)
{
	bool took;

	if (sink == NULL || in_sink)
		return false;
	in_sink = true;
	line->bytes[line->len] = '\0';
	took = sink(level, line->bytes, line->bytes + line->text, sink_arg);
	in_sink = false;
	return took;
}

/* errno stays: callers log first and return it afterwards. */
static void
emit(enum log_level level, const char *text, size_t len)
{
	int saved = errno;
	struct line line;

	head_put(&line, level);
	text_put(&line, text, len);
	if (!taken(&line, level))
		line_write(line.bytes, line.len);
	errno = saved;
}

void
log_line(enum log_level level, const char *fmt, va_list ap)
{
	char text[LINE_MAX_BYTES + 1];
	int n;

	if (level < lowest)
		return;
	n = vsnprintf(text, sizeof(text), fmt, ap);
	if (n < 0)
		return;
	if ((size_t)n >= sizeof(text))
		n = (int)sizeof(text) - 1;
	else if (n > 0 && text[n - 1] == '\n')
		n--;
	emit(level, text, (size_t)n);
}

void
log_lines(enum log_level level, const char *text)
{
	if (level < lowest)
		return;
	while (*text != '\0') {
		size_t len = strcspn(text, "\n");

		emit(level, text, len);
		text += len;
		if (*text == '\n')
			text++;
	}
}

void
log_at(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(level, fmt, ap);
	va_end(ap);
}

void
log_debug(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(LOG_LV_DEBUG, fmt, ap);
	va_end(ap);
}

void
log_info(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(LOG_LV_INFO, fmt, ap);
	va_end(ap);
}

void
log_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(LOG_LV_WARN, fmt, ap);
	va_end(ap);
}

void
log_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(LOG_LV_ERROR, fmt, ap);
	va_end(ap);
}

void
log_fatal(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(LOG_LV_FATAL, fmt, ap);
	va_end(ap);
}
