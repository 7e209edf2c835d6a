/*
 * self.h - what a Ruby process knows of itself: its role, its channel to the
 * master, its row, the settings and the listeners it inherited.
 *
 * One struct, made in mold/trampoline.c, passed down everywhere; a fork's child
 * rewrites it (self_newborn, self_candidate). It is not a global.
 *
 * Runs in:    mold, worker
 * Owns:       channel, listener descriptors, settings, board mapping
 * After fork: the child replaces channel and row before it does anything else
 * Raises:     never
 */
#ifndef WORKER_SELF_H
#define WORKER_SELF_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <reforkd/roles.h>
#include <reforkd/scoreboard.h>
#include <reforkd/settings.h>

struct chan;

struct self {
	enum role role;
	uint32_t generation;
	uint32_t slot; /* worker.nr; kept by a mold that was one: its title says
			  so */
	uint32_t row;
	uint64_t token;     /* of the FORK or PROMOTE that made this process */
	uint64_t born_us;   /* clock_us of its fork or exec */
	uint64_t inherited; /* requests served by its ancestors */
	pid_t master_pid;
	struct chan *master; /* to the master */
	struct rfk_board *board;
	struct rfk_row *my_row; /* workers only, else NULL */
	struct rfk_settings_table settings;
	bool is_service;     /* no worker, but pitchfork's service */
	char pool[48];       /* whose work it does; "default" */
	char key[96];        /* of a pool of one key: its values, for titles */
	char arguments[256]; /* the command line's, for titles */
	int listeners[RFK_LISTENERS_MAX];
	size_t nlisteners;
	size_t npooled;   /* of them: all but what this worker made itself */
	int exit_status;  /* what the trampoline leaves with at ROLE_EXIT */
	int end_signal;   /* that its program was ended by: it ends so, too */
	bool run_at_exit; /* ruby_cleanup, else _exit */
	bool booted; /* the application is loaded (a mold that was a worker) */
};

/* The child's first steps after a fork in the mold: row, token, channel (-1 =
 * it has its own: worker_exec). */
int self_newborn(struct self *, const struct rfk_fork *, int take_channel_fd);
/* The candidate's first steps after the double fork in a donor. */
int self_candidate(
    struct self *, const struct rfk_promote *, int take_channel_fd);
/* `setpgid true`: a group of its own. */
void self_group(const struct self *);
/* "reforkd worker 3 gen 2: idle, 1234 requests" and the like. */
void self_title(const struct self *, const char *state, uint64_t requests);

/* The two bodies of the trampoline; each returns the next role. */
enum role mold_run(struct self *);
enum role worker_run(struct self *);

#endif
