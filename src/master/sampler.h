/*
 * sampler.h - a thread that reads what one process costs: the kernel walks its
 * page tables for up to 65 ms a GB, and the loop has no time for that.
 *
 * One job at a time over a socket pair; nothing else is shared with the thread.
 *
 * Runs in:    master
 * Owns:       the thread and the pair
 * After fork: the master's only forks exec at once
 * Raises:     never
 */
#ifndef MASTER_SAMPLER_H
#define MASTER_SAMPLER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <ev.h>

#include "base/procmem.h"

struct sample {
	uint64_t token; /* the asker's: what it was asked about */
	pid_t pid;
	int rc; /* of the full figures; rss and cpu may be there all the same */
	struct procmem memory;
	int64_t rss_kb;
	int64_t cpu_ms;
	uint64_t took_us; /* of CPU */
};

typedef void sampler_result(void *arg, const struct sample *);

struct sampler;

/* NULL with errno. */
struct sampler *sampler_open(struct ev_loop *, sampler_result *, void *arg);
void sampler_close(struct sampler *);
bool sampler_is_busy(const struct sampler *);
int sampler_ask(struct sampler *, uint64_t token, pid_t); /* 0, -errno */

#endif
