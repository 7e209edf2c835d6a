/*
 * find.h - which masters there are, and where they listen.
 *
 * Candidates are the sockets in the default directory, and the sockets that
 * processes called reforkd listen at (by /proc). Only what answers `status`
 * with a master's record is a master.
 *
 * Runs in:    reforkctl
 * Owns:       the list inside the struct
 * After fork: does not fork
 * Raises:     never
 */
#ifndef CTL_FIND_H
#define CTL_FIND_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/fail.h"
#include "base/sockpath.h"

#define FIND_MAX 64

struct found {
	char path[SOCKPATH_MAX];
	bool answers;
	int64_t pid;
	uint64_t uptime_ms;
	char version[32];
	char phase[32];
	char config[4096];
	char leases[SOCKPATH_MAX]; /* "" = it leases no workers */
};

struct find {
	struct found at[FIND_MAX];
	size_t n;
	int error;        /* of the last that did not answer */
	struct buf tried; /* "  PATH: reason\n" for each of those */
};

void find_fini(struct find *);
/* Fill the list with candidates: 0, or -errno with why. */
int find_all(struct find *, struct fail *why);
int find_by_pid(struct find *, pid_t, struct fail *why);
int find_by_config(struct find *, const char *config, struct fail *why);
int find_by_path(struct find *, const char *path, struct fail *why);
/* Asks each; those that do not answer leave the list and stand in tried. */
void find_ask(struct find *);

#endif
