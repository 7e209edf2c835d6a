/*
 * memory.h - what a process costs, read from /proc by reforkctl itself: the
 * kernel walks page tables for it, and the master has no time for that.
 *
 * Runs in:    reforkctl
 * Owns:       nothing
 * After fork: does not fork
 * Raises:     never
 */
#ifndef CTL_MEMORY_H
#define CTL_MEMORY_H

#include <stdint.h>

struct memory {
	uint64_t rss_kb;
	uint64_t pss_kb; /* shared pages divided by those who share them */
	uint64_t uss_kb; /* pages of its own alone */
};

int memory_read(int64_t pid, struct memory *); /* 0, -errno */

#endif
