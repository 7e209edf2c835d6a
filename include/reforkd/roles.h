/*
 * roles.h - what a process is, and who may send what.
 *
 * Runs in:    every process
 * Owns:       nothing
 * After fork: the child's role is the trampoline's next one (mold/main.c)
 * Raises:     never
 */
#ifndef REFORKD_ROLES_H
#define REFORKD_ROLES_H

/* One bit each, so that a row of messages.def can name several senders. */
enum rfk_role {
	RFK_MASTER = 1,
	RFK_MOLD = 2,
	RFK_WORKER = 4,
};

/* What mold_run and worker_run hand back to the trampoline. */
enum role {
	ROLE_MOLD,
	ROLE_WORKER,
	ROLE_EXIT,
};

#endif
