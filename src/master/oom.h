/*
 * oom.h - whom the kernel shall end first when memory runs out: workers, then
 * molds, the master last. All relative to the value reforkd was started with.
 *
 * Runs in:    master; oom_begin also in a mold's child before its exec
 * Owns:       nothing
 * After fork: the value is inherited
 * Raises:     never
 */
#ifndef MASTER_OOM_H
#define MASTER_OOM_H

#include <stdbool.h>
#include <sys/types.h>

enum oom_role { OOM_MASTER, OOM_MOLD, OOM_WORKER };

struct oom {
	bool is_known; /* base was read: the rest means something */
	bool may_lower;
	bool has_failed; /* said once */
	int base;
};

void oom_init(struct oom *); /* reads the base and sets the master's own */
void oom_set(struct oom *, enum oom_role, pid_t);

/* Pure. Without privileges scores are only ever raised. */
int oom_score(enum oom_role, int base, bool may_lower);

#endif
