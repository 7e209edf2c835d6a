/*
 * table.h - a report for people.
 *
 * Runs in:    reforkctl
 * Owns:       nothing
 * After fork: does not fork
 * Raises:     never
 */
#ifndef CTL_TABLE_H
#define CTL_TABLE_H

#include <jansson.h>

#include "ctl/find.h"

void table_status(const json_t *report);
void table_deaths(const json_t *report);
void table_pids(const json_t *report);
void table_masters(const struct find *);

#endif
