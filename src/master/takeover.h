/*
 * takeover.h - the program that a master has become goes on where the other one
 * stopped: same pid, sockets, molds, workers and scoreboard.
 *
 * Before, it is asked in a process of its own whether it could: `--check-state`
 * reads the state and evaluates the configuration as -t does. So a program that
 * is broken is never exec'd by the master. One that speaks another protocol
 * takes over all but molds and workers: those are strangers.h.
 *
 * Runs in:    master
 * Owns:       nothing; the descriptors become the master's
 * After fork: not called
 * Raises:     never
 */
#ifndef MASTER_TAKEOVER_H
#define MASTER_TAKEOVER_H

#include "base/fail.h"

struct handover;
struct master;

/* From the memfd: NULL with *why when this program cannot go on from it. */
struct handover *takeover_read(int fd, struct fail *why);
/* The master has a loop and its board: everything else. 0, -errno with *why. */
int takeover_run(struct master *, const struct handover *, struct fail *why);

#endif
