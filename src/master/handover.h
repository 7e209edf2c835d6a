/*
 * handover.h - what a master knows, as text: for `reforkctl restart`, which
 * makes another program of the same process.
 *
 * "name=value" NUL ..., the version first. "pool=NAME" begins a pool; what
 * follows is its own. Settings stand there as the mold has sent them.
 *
 * Runs in:    master; pure
 * Owns:       its lists
 * After fork: unchanged
 * Raises:     never
 */
#ifndef MASTER_HANDOVER_H
#define MASTER_HANDOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <reforkd/proto.h>

#include "base/buf.h"
#include "base/fail.h"

#ifndef HANDOVER_VERSION
#define HANDOVER_VERSION 2
#endif
/* Since then entries stand as handover.def says, in every version. */
#define HANDOVER_OLDEST 2
/* What a process has in every version: pid, pidfd, chan, slot. */
#define HANDOVER_FIXED 4

struct handover_listener {
	int64_t fd, shared, immortal;
	char address[256];
};

struct handover_process {
#define PROCESS(name) int64_t name;
#include "master/handover.def"
};

struct handover_pool {
#define POOL(name) int64_t name;
#include "master/handover.def"
	char name[32];
	struct handover_listener *listener;
	size_t listeners;
	struct handover_process *process;
	size_t processes;
	struct buf settings;
};

struct handover {
#define MASTER(name) int64_t name;
#include "master/handover.def"
	bool is_other; /* another version's: only what all have was read */
	char pid_file[4096];
	char control_path[128];
	char who[96]; /* who has asked for it */
	struct handover_pool pool[RFK_POOLS_MAX];
	size_t pools;
};

/* NULL: no memory. All zero but for the descriptors, -1. */
struct handover *handover_new(void);
void handover_free(struct handover *);
/* Each at the end of its list, zeroed: NULL = no room, or no memory. */
struct handover_pool *handover_pool_add(struct handover *, const char *name);
struct handover_listener *handover_listener_add(
    struct handover_pool *, const char *address);
struct handover_process *handover_process_add(struct handover_pool *);

int handover_encode(const struct handover *, struct buf *); /* 0, -errno */
/* Into a new one: 0, or -errno with *why. */
int handover_decode(
    struct handover *, const char *text, size_t len, struct fail *why);

#endif
