/*
 * counsel.h - `advise`: what a running pool's memory is made of, what a refork
 * would bring, and how Ruby's collector should be started.
 *
 * Runs in:    reforkctl
 * Owns:       nothing
 * After fork: does not fork
 * Raises:     never
 */
#ifndef CTL_COUNSEL_H
#define CTL_COUNSEL_H

struct command;

int counsel(const struct command *, const char *path); /* an exit code */

#endif
