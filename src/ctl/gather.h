/*
 * gather.h - what the workers, the mold and the master say, as the numbers that
 * advise.h judges.
 *
 * Runs in:    reforkctl
 * Owns:       the texts of the settings, until gather_fini
 * After fork: does not fork
 * Raises:     never
 */
#ifndef CTL_GATHER_H
#define CTL_GATHER_H

#include <stdbool.h>

#include <jansson.h>

#include "ctl/advise.h"

struct gather {
	struct advise numbers;
	const char *version; /* Ruby's, of the dump; NULL = nobody answered */
	json_t *texts;
};

/* dump: dump.h's list; status: report.h's, of which the pool is taken. */
void gather(struct gather *, json_t *dump, json_t *status, const char *pool);
void gather_fini(struct gather *);

/* A number of a process in a dump. */
uint64_t gather_number(json_t *process, const char *section, const char *key);
bool gather_is_worker(json_t *process);

#endif
