/*
 * master.h - PROCESS 1: libev, no Ruby. Owns listeners, pid file, slots,
 * generations, the scoreboard, timers and the control socket.
 *
 * Runs in:    master
 * Owns:       everything below
 * After fork: its only forks exec a mold at once
 * Raises:     never
 */
#ifndef MASTER_MASTER_H
#define MASTER_MASTER_H

#ifdef RUBY_RUBY_H
#error "Keep Ruby out of the master process"
#endif

#include <stdbool.h>
#include <stdint.h>

#include <ev.h>

#include <reforkd/scoreboard.h>

#include "master/deaths.h"
#include "master/inherit.h"
#include "master/notify.h"
#include "master/oom.h"
#include "master/options.h"
#include "master/pool.h"
#include "master/pools.h"
#include "master/restart.h"
#include "master/strangers.h"
#include "master/upgrade.h"

struct control;
struct leases;
struct inquiries;

enum master_phase {
	MASTER_BOOTING, /* no mold has been READY yet */
	MASTER_SERVING,
	MASTER_STOPPING, /* graceful: workers drain */
	MASTER_KILLING,  /* immediate, or the limit of the stop has passed */
};

struct master {
	struct ev_loop *loop;
	const struct options *options;
	struct rfk_board *board;
	int board_fd;
	enum master_phase phase;
	int exit_status;
	uint64_t started_ms;
	uint64_t next_token;
	int ready_fd; /* -D: the grandparent waits at the other end; else -1 */
	char *cwd;    /* where it was started: a mold is exec'd from there */
	struct pool pool;                  /* `default` */
	struct pool *pools[RFK_POOLS_MAX]; /* pools.h: the first is &pool */
	bool is_ready;                     /* master_says_ready was called */
	struct control *control;
	struct leases *leases;       /* NULL = no pool is for lease */
	struct inquiries *inquiries; /* NULL until somebody asks */
	struct deaths deaths;
	struct oom oom;
	struct upgrade upgrade;
	struct notify notify;
	struct restarting restart;
	struct strangers strangers;
	struct listeners inherited; /* of other pools, until they claim them */
	int parent_pidfd; /* the master that handed sockets over, else -1 */
	ev_io parent_io;
	char pid_file[4096]; /* what this master wrote, "" = none */
	ev_io stop_io;       /* a signalfd of TERM, QUIT, INT */
	ev_io signal_io;
	ev_prepare before_sleep;
	ev_timer watchdog;
	ev_timer stop_limit;
	uint64_t watchdog_due_ms;
	uint64_t
	    grace_until_ms; /* the master was stopped: nobody is stale before */
};

int master_run(const struct options *); /* the exit status */

uint64_t master_token(struct master *);
/* What signals and control verbs ask for. */
void master_stop(struct master *, bool graceful, const char *why);
void master_reload(struct master *, const char *why);
void master_reopen(struct master *);
/* Boot has failed: says why, stops with `status`. */
void master_fail(struct master *, int status);
/* SETTINGS in force: stderr_path, pid file, control socket. 0 or *why. */
int master_apply(
    struct master *, const struct rfk_settings_table *, struct fail *why);
/* The lease socket, for the first pool that is for lease. 0 or *why. */
int master_leases(
    struct master *, const struct rfk_settings_table *, struct fail *why);
/* Logs, the first time or `again`: a fresh file is then its user's as before.
 */
int master_redirect(
    const struct rfk_settings_table *, bool again, struct fail *why);
void master_says_ready(struct master *);

/* signals.c */
int signals_start(struct master *); /* 0, -errno (logged) */
/* TERM, QUIT and INT that have come: before a death is taken for a mishap. */
void signals_stops_first(struct master *);
void signals_default(void); /* in a child, before exec */
/* watchdog.c */
void watchdog_start(struct master *);
/* spawn.c: fork and exec of reforkd-mold; fds by SCM-less inheritance. */
int spawn_mold(struct master *, uint32_t generation, pid_t *, int *give_pidfd,
    int *give_chan_fd, struct fail *why);
/* pidfile.c */
pid_t pidfile_live(const char *path); /* who stands in it and lives, or 0 */
int pidfile_write(const char *path, struct fail *why);
void pidfile_remove(const char *path); /* only when it holds this pid */
/* Its process title, when phase, generation or workers have changed. */
void master_title(struct master *);

#endif
