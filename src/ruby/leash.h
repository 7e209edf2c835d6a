/*
 * leash.h - in a request the collector is off, on a leash.
 *
 * Off from leash_on to leash_off, unless the application has turned it off
 * itself; on again inside the request when that has allocated more than it
 * may: leash_pull, at a safe point. GC.disable, GC.enable and GC.stress= go
 * through here, so that the application always gets what it asked for, and the
 * answers that it would get without us.
 *
 * Runs in:    mold (opened there), worker; leash_pull in a postponed job
 * Owns:       what the application wants of its collector
 * After fork: inherited; nothing is on a leash between two requests
 * Raises:     never
 */
#ifndef RUBY_LEASH_H
#define RUBY_LEASH_H

#include <stdbool.h>
#include <stdint.h>

struct ruby_error;

int leash_open(struct ruby_error *why); /* once; 0, -ECANCELED */
void leash_on(uint64_t bytes);
void leash_off(void);
void leash_pull(void); /* looks; lets go when it is too much */
/* The application has GC.disable in force: nothing is collected for it. */
bool leash_is_disabled(void);
/* It has GC.stress in force: collections are what it wants. */
bool leash_is_stressed(void);
uint64_t leash_pulls(void); /* how often it let go */

#endif
