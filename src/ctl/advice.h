/*
 * advice.h - what the files of rules share: the numbers, and how one speaks.
 *
 * Runs in:    reforkctl; pure
 * Owns:       nothing
 * After fork: does not fork
 * Raises:     never
 */
#ifndef CTL_ADVICE_H
#define CTL_ADVICE_H

#include "ctl/advise.h"

struct advice {
	const struct advise *in;
	advise_each *each;
	void *arg;
	int n;
	int rc;
};

/* A variable as Ruby was started with, "64M" as Ruby reads it; 0 = not set. */
uint64_t advice_in_force(const struct advise *, const char *name);
double advice_percent(uint64_t part, uint64_t whole);

/* name: a variable; or NULL, then value is a line of the file, or NULL. */
void advice_say(struct advice *, const char *rule, const char *name,
    const char *value, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

void advice_slots(struct advice *);      /* how many a heap begins with */
void advice_directives(struct advice *); /* what no variable mends */

#endif
