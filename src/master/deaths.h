/*
 * deaths.h - the last 64 processes that ended, each with its cause.
 *
 * Runs in:    master
 * Owns:       a ring inside the struct
 * After fork: unchanged
 * Raises:     never
 */
#ifndef MASTER_DEATHS_H
#define MASTER_DEATHS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define DEATHS_MAX 64

struct death {
	uint64_t at_s; /* calendar time, seconds */
	char role[12]; /* "worker", "mold" */
	char pool[48];
	uint32_t slot; /* workers */
	uint32_t generation;
	pid_t pid;
	uint64_t age_ms;
	uint64_t requests;
	char cause[320];   /* "SIGKILL (signal 9): timeout (5.0 s > 5.0 s)" */
	char request[192]; /* the unit it was in: "GET /path 0.5 s", or "" */
};

struct deaths {
	struct death ring[DEATHS_MAX];
	uint64_t total;
};

/* The next entry to fill, the oldest one when the ring is full. */
struct death *deaths_next(struct deaths *);
/* i = 0 is the newest; NULL past the end. */
const struct death *deaths_at(const struct deaths *, size_t i);

#endif
