/*
 * upgrade.h - USR2 in unicorn's personality: the program is started once more,
 * with the same listeners, beside the master that runs.
 *
 * The pid file becomes FILE.oldbin and the control socket PATH.oldbin; the new
 * master writes its own. The mold is asked first what before_exec and the file
 * say of the image (START_CTX, ENV); without an answer it is the one that runs.
 * Whoever wants the old master to go sends it QUIT, as unicorn's users do. When
 * the new one ends first, everything is as it was.
 *
 * Runs in:    master
 * Owns:       the pidfd of the new master
 * After fork: its fork execs at once
 * Raises:     never
 */
#ifndef MASTER_UPGRADE_H
#define MASTER_UPGRADE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <ev.h>

struct master;

struct upgrade {
	pid_t pid; /* the new master, 0 = none */
	int pidfd;
	bool asked; /* the mold, for before_exec */
	ev_io io;
	ev_timer wait;
};

void upgrade_init(struct master *);
void upgrade_start(struct master *);
/* What the mold says, or NULL: it cannot. "name=value" NUL ... */
void upgrade_answer(struct master *, const char *text, size_t len);
/* A zombie: true when it was the new master's. */
bool upgrade_look(struct master *, pid_t);
bool upgrade_under_way(const struct master *);
/* Tells the workers whether another process serves the same sockets. */
void upgrade_share(struct master *);

#endif
