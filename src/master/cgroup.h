/*
 * cgroup.h - how much memory there is for this service, and whether the kernel
 * feels it: the memory controller of version 1 and 2, PSI, the host.
 *
 * The functions take the folders they read from, so that a test can make its
 * own.
 *
 * Runs in:    master
 * Owns:       nothing
 * After fork: unchanged
 * Raises:     never
 */
#ifndef MASTER_CGROUP_H
#define MASTER_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

#define CGROUP_PATH 512

struct cgroup {
	int version; /* 2, 1, or 0 = no memory controller */
	char root[128];
	char dir[CGROUP_PATH]; /* of this process, "" = none */
};

/* What has happened there so far; version 1 counts failures only. */
struct cgroup_events {
	uint64_t high, max, oom_kill;
	double some_avg10; /* PSI: percent of time in which somebody waited */
};

/* procfs "/proc", sysfs "/sys/fs/cgroup" outside of tests. */
void cgroup_find(struct cgroup *, const char *procfs, const char *sysfs);
/* The lowest limit of it and its parents, in kB; 0 = none. */
uint64_t cgroup_limit_kb(const struct cgroup *);
/* MemTotal, or the lower limit of the cgroup: *what names it. */
uint64_t cgroup_available_kb(
    const struct cgroup *, const char *procfs, const char **what);
/* 0, or -ENOENT when nothing of it exists. */
int cgroup_events_read(
    const struct cgroup *, const char *procfs, struct cgroup_events *);

/* Pure. The group's path from /proc/self/cgroup: 2, 1 or 0. */
int cgroup_parse(const char *text, bool want_v1, char *path, unsigned int cap);

#endif
