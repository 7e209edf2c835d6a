/*
 * inherit.h - listening sockets that were open when reforkd started: from the
 * master that it replaces (UNICORN_FD; REFORKD_FD for those of other pools than
 * the default one), or from systemd (LISTEN_FDS).
 *
 * Another process may hold them too, so they are never cut off
 * (base/cutoff.h): what waits there when this master leaves is another's.
 *
 * Runs in:    master
 * Owns:       a pidfd of the parent, while it may still serve; what no pool has
 *             claimed yet
 * After fork: its descriptors are CLOEXEC
 * Raises:     never
 */
#ifndef MASTER_INHERIT_H
#define MASTER_INHERIT_H

#include <sys/types.h>

#include "base/buf.h"
#include "base/fail.h"

struct master;
struct pool;
struct rfk_settings_table;

/* Before the first mold: 0, or -errno with *why. */
int inherit_listeners(struct master *, struct fail *why);
/* Before a pool binds what its settings name: takes over what came for it. */
void inherit_claim(struct pool *, const struct rfk_settings_table *);
/* Every pool has had its turn: the rest is closed. */
void inherit_over(struct master *);
/* In the background: variables that named `was` name this process. */
void inherit_daemonized(pid_t was);
/* For START: "inherited=ADDRESS" of those that no file need name. 0, -ENOMEM.
 */
int inherit_encode(const struct master *, struct buf *out);

#endif
