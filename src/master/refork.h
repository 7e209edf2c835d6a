/*
 * refork.h - whom to promote, whom to replace first: policy without effects.
 *
 * Runs in:    master; pure, tested without processes
 * Owns:       nothing
 * After fork: unchanged
 * Raises:     never
 */
#ifndef MASTER_REFORK_H
#define MASTER_REFORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the policy knows of one worker. */
struct refork_view {
	uint32_t slot;
	bool serves; /* SERVING, of any generation */
	bool unsafe; /* refused in this succession */
	bool is_donor;
	bool outdated;  /* of an older generation than the one that rolls */
	bool replacing; /* its successor is being made, or it drains */
	uint32_t generation;
	uint64_t requests; /* by this process */
	uint64_t warmth;   /* with those of its ancestors */
	uint64_t faults;   /* since its fork: 4 KiB each have diverged */
};

/*
 * The donor: the worker that has served most by itself among those that serve
 * and did not refuse; on a tie the warmer line, then the lower slot. Index, or
 * -1.
 */
int refork_donor(const struct refork_view *, size_t n);
/*
 * Whom to replace next: the most diverged outdated worker, the donor's slot
 * last. Index, or -1 when none is left.
 */
int refork_replace(const struct refork_view *, size_t n);

/* The wait after `failures` quick deaths in a row: 0 for the first, then 125 ms
 * doubled up to 30 s, which is 1 s after the fifth. */
uint64_t refork_backoff_ms(unsigned int failures);

#endif
