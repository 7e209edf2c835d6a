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

struct options;
struct rfk_settings_table;

void print_settings(const struct rfk_settings_table *);     /* on stdout */
void print_error(const struct options *, const char *text); /* on stderr */

#endif
