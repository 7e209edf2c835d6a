/*
 * process.h - another process as the master holds it: a pidfd, a channel, a
 * deadline, and how it ended. A worker (child.h) and a mold (moldlink.h) embed
 * one and say in their calls what is their own.
 *
 * A dead process is read to the end of its channel before its owner hears of
 * it, because its last words tell how its death is to be taken. Its status may
 * be known to its parent alone, so that it is asked for a few times.
 *
 * Runs in:    master
 * Owns:       pidfd, channel, watchers
 * After fork: the master's only forks exec at once
 * Raises:     never
 */
#ifndef MASTER_PROCESS_H
#define MASTER_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <ev.h>

#include <reforkd/proto.h>

#include "base/pidfd.h"

struct chan;
struct master;

/* Each gets the owner. */
struct process_calls {
	void (*message)(void *, const struct rfk_msg *, int *take_fds);
	void (*broken)(void *); /* broke the protocol; its channel is closed */
	void (*late)(void *);   /* the deadline has passed */
	void (*gone)(void *);   /* ended: calls process_close, and may free */
};

struct process {
	struct master *master;
	void *owner;
	const struct process_calls *calls;
	pid_t pid;         /* for logs and people; 0 = none */
	int pidfd;         /* -1 = none */
	struct chan *chan; /* NULL = closed */
	bool dead;         /* the pidfd said so */
	struct pidfd_exit exit;
	unsigned int tries; /* to learn that */
	ev_io pidfd_io;
	ev_io chan_io;
	ev_timer deadline;
	ev_timer reaping; /* dead, status not known yet */
};

void process_init(struct process *, struct master *, void *owner,
    const struct process_calls *);
/* From now on its calls are made. -ENOMEM: it was killed. */
int process_open(
    struct process *, enum rfk_role, pid_t, int take_pidfd, int take_chan_fd);
void process_close(struct process *);
/* One that nobody asked for: killed, and both descriptors closed. */
void process_reject(int take_pidfd, int take_chan_fd);

/* 0, -errno; -EPIPE when its channel is closed. */
int process_put(
    struct process *, const struct rfk_msg *, const int *take_fds, int nfds);
/* Makes the calls for what it has sent. */
void process_read(struct process *);
/* One deadline at a time: the stage it is in. */
void process_arm(struct process *, int64_t ms);
void process_disarm(struct process *);
void process_kill(const struct process *);

/* Has it ended? After SIGCHLD; the pidfd's own watcher asks too. */
void process_look(struct process *);
/* How it ended, from its parent; the first to say so is believed. */
void process_report(struct process *, const struct pidfd_exit *);

#endif
