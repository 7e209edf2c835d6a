/*
 * report.h - the answers to `status` and `deaths` as one JSON value, from which
 * both --json and the tables for people are printed.
 *
 *   { "master": {...}, "memory": {...}, "pools": [ { ..., "listeners": [...],
 *     "molds": [...], "slots": [...] } ] }       or       { "deaths": [...] }
 *
 * Runs in:    reforkctl
 * Owns:       nothing; the caller decrefs what report_new gave
 * After fork: does not fork
 * Raises:     never
 */
#ifndef CTL_REPORT_H
#define CTL_REPORT_H

#include <jansson.h>

#include "base/record.h"

json_t *report_new(void);
/* Adds one record where it belongs. Kinds it does not know are left out. */
void report_add(json_t *report, const struct record *);
/* PSS and USS of every process in it, from /proc, and their sums. */
void report_measure(json_t *report);

#endif
