/*
 * print.h - what the operator sees of settings: reforkd -t, and the one line
 * of a mistake.
 *
 * Runs in:    master
 * Owns:       nothing
 * After fork: unchanged
 * Raises:     never
 */
#ifndef MASTER_PRINT_H
#define MASTER_PRINT_H

#include <stdbool.h>
#include <stddef.h>

#include <reforkd/settings.h>

struct options;

void print_settings(const struct rfk_settings_table *);     /* on stdout */
void print_error(const struct options *, const char *text); /* on stderr */
/* One directive, and behind it where it comes from. */
void print_put(const char *comment, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* FILE:LINE, or whose default it is; valid until the next call. */
const char *print_origin(
    const struct rfk_settings_table *, enum rfk_setting, bool is_default);
/* As a string of Ruby's; returns out. */
const char *print_quoted(const char *text, char *out, size_t cap);

#endif
