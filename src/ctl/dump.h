/*
 * dump.h - what workers say of their heaps: `dumpstat` and `gclog read`.
 *
 * A dump is a list of processes, each an object with role, slot, pid and
 * generation and an object for each kind of line: "gc", "heap0", "objects" ...
 *
 * Runs in:    reforkctl
 * Owns:       nothing
 * After fork: does not fork
 * Raises:     never
 */
#ifndef CTL_DUMP_H
#define CTL_DUMP_H

#include <jansson.h>

#include "base/record.h"
#include "ctl/command.h"

/* Adds a record to the process it is about. An ask_record. */
void dump_add(void *list, const struct record *);

/* The verbs: exit codes. */
int dump_stat(const struct command *, const char *path);
int dump_gclog(const struct command *, const char *path);

#endif
