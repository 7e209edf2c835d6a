/*
 * listener.h - listening sockets: bound by the master, kept over generations,
 * handed to each mold.
 *
 * A reload binds new addresses into a second set; listeners_commit drops what
 * is no longer named, listeners_undo closes only what the second set added.
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
	char *address;
	int fd;
	bool fresh; /* bound by the set under way */
};

struct listeners {
	struct listener at[RFK_LISTENERS_MAX];
	size_t n;
};

/*
 * Makes *next hold one listener for each of the settings': taken over from
 * *now where the address is the same, else bound. 0; -EAGAIN with *delay_ms
 * when an address is in use and shall be tried again; -errno with *why.
 * *tries counts, from 0.
 */
int listeners_bind(const struct listeners *now, struct listeners *next,
    const struct rfk_settings_table *, int *tries, int *delay_ms,
    struct fail *why);
void listeners_commit(struct listeners *now, struct listeners *next);
void listeners_undo(struct listeners *next);
void listeners_close(struct listeners *);

#endif
