/*
 * procmem.h - what a process costs, read from /proc. The kernel walks page
 * tables for the full figures, 45 to 65 ms a GB: whoever has a loop to run lets
 * a thread ask.
 *
 * Runs in:    master (its sampler), reforkctl, mold, worker (when asked)
 * Owns:       nothing
 * After fork: unchanged
 * Raises:     never
 */
#ifndef BASE_PROCMEM_H
#define BASE_PROCMEM_H

#include <stdint.h>

struct procmem {
	uint64_t rss_kb;
	uint64_t pss_kb; /* shared pages divided by those who share them */
	uint64_t uss_kb; /* pages of its own alone */
};

int procmem_read(int64_t pid, struct procmem *); /* 0, -errno */
/* RSS alone costs microseconds: kB, or -errno. */
int64_t procmem_rss_kb(int64_t pid);
/* User and system time of a process and its threads, in ms, or -errno. */
int64_t procmem_cpu_ms(int64_t pid);

/* The text of smaps_rollup: 0, -ESRCH when it is empty. */
int procmem_parse(const char *text, struct procmem *);

#endif
