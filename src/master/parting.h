/*
 * parting.h - what this master hands to the program that it becomes.
 *
 * Runs in:    master
 * Owns:       nothing; the state names descriptors of the master's
 * After fork: unchanged
 * Raises:     never
 */
#ifndef MASTER_PARTING_H
#define MASTER_PARTING_H

#include <stdbool.h>
#include <stddef.h>

struct handover;
struct master;

/* Nothing is half done that could not be handed over; else what it is. */
bool parting_is_quiet(const struct master *, char *out, size_t cap);
struct handover *parting_state(const struct master *); /* NULL: no memory */
/* The state in a memfd, or -errno. */
int parting_write(const struct handover *);
/* Whether its descriptors stay open over an exec. */
void parting_inherit(const struct handover *, bool inherit);

#endif
