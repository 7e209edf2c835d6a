/*
 * lease.h - `reforkctl lease`: a warm worker in place of a program. What an
 * editor or a shell starts; the worker gets this process's own descriptors.
 *
 * Runs in:    reforkctl
 * Owns:       the connection to the lease socket, the pidfd
 * After fork: does not fork
 * Raises:     never
 */
#ifndef CTL_LEASE_H
#define CTL_LEASE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/fail.h"
#include "base/leaseline.h"
#include "base/sockpath.h"
#include "ctl/command.h"

/* As a shell and sysexits.h say them; docs/leases.md lists them. */
enum lease_exit {
	LEASE_EXIT_USAGE = 64,
	LEASE_EXIT_UNAVAILABLE = 69, /* no server, or no worker */
	LEASE_EXIT_RELAY = 70,       /* the third worker in a minute */
	LEASE_EXIT_PROTOCOL = 76,    /* the editor speaks no LSP */
};

#define LEASE_FIELDS_MAX 16

struct lease_order {
	const char *pool;  /* NULL = the server's only one */
	const char *start; /* --start: the configuration, NULL = no */
	const char *fields[LEASE_FIELDS_MAX]; /* "name=value" */
	int nfields;
	bool relay;             /* --relay */
	char *const *arguments; /* NULL-terminated */
};

struct lease_link {
	int fd;
	uint64_t id;
	pid_t pid;
	uint64_t generation;
	int pidfd; /* -1 = none yet */
};

/* argv[0] is "lease"; the command has -c, -s or -p. The exit status. */
int lease_main(const struct command *, int argc, char **argv);
/* As the program has ended: whoever waits for us sees no difference. */
int lease_end_by(int signo);

/* launch.c: where the master listens for leases, after it was started. */
int launch_find(const struct command *, const struct lease_order *, char *path,
    size_t cap, struct fail *why);

/* project.c: the fields of LEASE that say which project this is. */
int project_put(struct buf *line, const struct lease_order *); /* 0, -ENOMEM */

/* direct.c */
/* Connected to the lease socket at path: 0, -errno with why. */
int direct_connect(struct lease_link *, const char *path, struct fail *why);
/* Sends LEASE with these descriptors (-1 = not that one), waits for LEASED. */
int direct_lease(struct lease_link *, const struct lease_order *,
    const int fds[3], struct fail *why);
/* Until the worker has ended: the status to leave with, or *signo. */
int direct_wait(struct lease_link *, int *signo);
void direct_close(struct lease_link *);

/* The steps of which these are made */
int direct_ask(struct lease_link *, const struct lease_order *,
    const int fds[3], struct fail *why);
/* Waits for one message: 1, 0 = the server has gone, -errno with why. */
int direct_hear(int fd, struct leaseline *, char bytes[LEASELINE_MAX + 1],
    int *give_fds, int *nfds, struct fail *why);
/* LEASED, and the pipes' ends where there are any. */
void direct_take(struct lease_link *, const struct leaseline *,
    const int *take_fds, int nfds, int give_fds[2]);
/* EXITED: true, with the status or the signal. */
bool direct_end(const struct leaseline *, int *status, int *signo);
/* Without a server only the kernel knows, and not each tells. */
int direct_orphan_status(const struct lease_link *, int *signo);
int direct_signals(void); /* blocks those that are sent on; a signalfd */
void direct_forward(struct lease_link *, int signo);

#endif
