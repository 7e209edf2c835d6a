/*
 * oom.h - whom the kernel shall end first when memory runs out: workers, then
 * molds, the master last. All relative to the value reforkd was started with,
 * unless the file says oom_score_adj.
 *
 * Runs in:    master; oom_set_early in a mold's child before its exec
 * Owns:       nothing
 * After fork: the value is inherited
 * Raises:     never
 */
#ifndef MASTER_OOM_H
#define MASTER_OOM_H

#include <stdbool.h>
#include <sys/types.h>

#include <reforkd/settings.h>

enum oom_role { OOM_MASTER, OOM_MOLD, OOM_WORKER, OOM_ROLES };

/* Of a role that oom_score_adj does not name. */
#define OOM_SCORE_UNSET 1001

struct oom {
	bool is_known; /* base was read: the rest means something */
	bool may_lower;
	bool has_failed[OOM_ROLES]; /* said once each, and again when asked */
	int base;
};

void oom_init(struct oom *); /* reads the base and sets the master's own */
/* What the file says of the master itself; called at each (re)load. */
void oom_apply(struct oom *, const struct rfk_settings_table *);
void oom_set(
    struct oom *, const struct rfk_settings_table *, enum oom_role, pid_t);
/* The caller's own, without a word: oom_set comes when it is READY. */
void oom_set_early(
    const struct oom *, const struct rfk_settings_table *, enum oom_role);

/* Pure. Without privileges scores are only ever raised. */
int oom_score(enum oom_role, int base, bool may_lower);

#endif
