/*
 * hatch.h - one worker, forked for a slot.
 *
 * Runs in:    mold; it returns twice
 * Owns:       nothing afterwards
 * After fork: the child has given up all that was the mold's
 * Raises:     never
 */
#ifndef MOLD_HATCH_H
#define MOLD_HATCH_H

#include <reforkd/proto.h>
#include <reforkd/roles.h>

struct mold;

/*
 * before_fork, the fork, SPAWNED or NOT_SPAWNED. ROLE_MOLD in the mold,
 * ROLE_WORKER in the newborn, ROLE_EXIT when either cannot go on.
 */
enum role hatch(struct mold *, const struct rfk_fork *);

#endif
