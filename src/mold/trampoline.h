/*
 * trampoline.h - the life of a process with Ruby in it, from the channel that
 * the master gave it to its exit status.
 *
 * It has two fronts of some lines each: main.c, a program that embeds libruby,
 * and extension.c, which the user's own `ruby` loads.
 *
 * Runs in:    mold, worker
 * Owns:       the struct self that is passed down everywhere
 * After fork: the child goes on in the same loop, in its new role
 * Raises:     never
 */
#ifndef MOLD_TRAMPOLINE_H
#define MOLD_TRAMPOLINE_H

#include "worker/self.h"

struct trampoline {
	struct self self;
	int board; /* the scoreboard's memfd */
};

/*
 * Before any code of the user's runs: reads and hides what the master put into
 * the environment. 0, or the status to exit with; the reason has been said.
 */
int trampoline_init(struct trampoline *);
/* Ruby has ended before it could be run: tells the master. */
void trampoline_stillborn(struct trampoline *);
/* With Ruby up: boots, serves, and returns the exit status; or never does. */
int trampoline_run(struct trampoline *);

#endif
