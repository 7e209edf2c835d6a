/*
 * log.h - lines on stderr in the format of Ruby's Logger:
 * "I, [2026-11-22T04:00:00.123456 #4242]  INFO -- : text"
 *
 * A line is one write(2). A full disk or a closed pipe loses the line and
 * nothing else. The sink lets the master hand lines to a file's own logger.
 *
 * Runs in:    every process
 * Owns:       nothing
 * After fork: the child logs under its own pid
 * Raises:     never
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdarg.h>
#include <stdbool.h>

enum log_level {
	LOG_LV_DEBUG,
	LOG_LV_INFO,
	LOG_LV_WARN,
	LOG_LV_ERROR,
	LOG_LV_FATAL
};

void log_level_set(enum log_level);
/*
 * Offered each line first, without its newline; `text` is where in it the head
 * ends. True = taken: it is not written. What is logged inside is written.
 * NULL = none.
 */
typedef bool log_sink(
    enum log_level, const char *line, const char *text, void *);
void log_sink_set(log_sink *, void *);
/* Writes a line that a sink has taken, as it was then. */
void log_put(const char *line);
/* Put between "-- " and ":"; "" by default, "[Pitchfork]" in that personality.
 */
void log_progname_set(const char *borrowed);

void log_at(enum log_level, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_fatal(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_line(enum log_level, const char *fmt, va_list)
    __attribute__((format(printf, 2, 0)));
/* One log line for each line of text: backtraces. */
void log_lines(enum log_level, const char *text);

#endif
