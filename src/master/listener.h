/*
 * listener.h - listening sockets: bound by the master, kept over generations,
 * handed to each mold.
 *
 * A reload binds new addresses into a second set; listeners_commit drops what
 * is no longer named, listeners_undo closes only what the second set added.
 * Nobody can connect to those before a worker that has them is about to serve
 * (worker/listen.c): should none come to it, nobody is reset.
 * Whatever is closed is cut off first (base/cutoff.h): the workers that have it
 * accept what the kernel has queued.
 *
 * Runs in:    master
 * Owns:       the descriptors
 * After fork: the master's only forks exec at once; they are CLOEXEC
 * Raises:     never
 */
#ifndef MASTER_LISTENER_H
#define MASTER_LISTENER_H

#include <stdbool.h>
#include <stddef.h>

#include <reforkd/settings.h>

#include "base/fail.h"

struct listener {
	char *address; /* as the settings name it; "#1" is its second queue */
	char *bound;   /* where it is: a port 0 has become a number */
	int fd;
	int backlog;
	bool fresh;    /* bound by the set under way */
	bool shared;   /* another process serves it, too: never cut off */
	bool immortal; /* systemd's: kept although no file names it */
};

struct listeners {
	struct listener at[RFK_LISTENERS_MAX];
	size_t n;
	bool is_reload; /* what is fresh listens only when it is served */
};

/* A new socket, bound: the descriptor, or -errno with *why. */
int listener_open(const struct rfk_listen *, struct fail *why);
/* -error, with FILE:LINE, the address, the reason and a remedy in *why. */
int listener_refuse(const struct rfk_listen *, int error, struct fail *why);
/* What can be changed while it listens: options and backlog. */
void listener_again(int fd, const struct rfk_listen *);
/* How many may wait in one of its sockets. */
int listener_backlog(const struct rfk_listen *);
char *listener_bound(int fd); /* "127.0.0.1:4242", to be freed; or NULL */

/* listeners.c */

/*
 * Makes *next hold one listener for each of the settings': taken over from
 * *now where the address is the same, else bound. 0; -EAGAIN with *delay_ms
 * when an address is in use and shall be tried again; -errno with *why.
 * *tries counts, from 0.
 */
int listeners_bind(const struct listeners *now, struct listeners *next,
    const struct rfk_settings_table *, int *tries, int *delay_ms,
    struct fail *why);
int listener_queue(const struct listener *); /* 0 is the first one */
/* One that the program before has bound: 0, -errno. */
int listeners_resume(struct listeners *, const char *address, int take_fd,
    bool shared, bool immortal);
/* Is one of *now not in *next? An empty *next is no set at all. */
bool listeners_drop_some(
    const struct listeners *now, const struct listeners *next);
/* *next is *now, and listens; what was dropped is cut off and given to the
 * caller. */
void listeners_commit(struct listeners *now, struct listeners *next,
    struct listeners *give_dropped);
void listeners_undo(struct listeners *next);
void listeners_cut(const struct listeners *); /* before a full stop */
/* The same where run blocks accept: they begin it (cutoff_announce). */
void listeners_announce(const struct listeners *);
int listeners_waiting(const struct listeners *); /* queued on all of them */
/* Closes what listeners_commit gave, CUTOFF_GRACE_MS later: refused from now
 * on when nobody waits there, else by the workers. */
void listeners_end(struct listeners *dropped);
void listeners_close(struct listeners *);

#endif
