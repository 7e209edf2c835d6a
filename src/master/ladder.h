/*
 * ladder.h - what a pool does that comes near its memory budget: collect and
 * trim, replace the fattest worker, refork, fewer workers, and at last end one
 * without waiting for its successor. Never in the middle of a request.
 *
 * Runs in:    master; pure, tested without processes
 * Owns:       nothing
 * After fork: unchanged
 * Raises:     never
 */
#ifndef MASTER_LADDER_H
#define MASTER_LADDER_H

#include <stdbool.h>
#include <stdint.h>

enum ladder_step {
	LADDER_NOTHING,
	LADDER_COLLECT, /* every worker collects between two requests */
	LADDER_RECYCLE, /* the fattest gets a successor, then drains */
	LADDER_REFORK,  /* all alike: they share again */
	LADDER_FEWER,
	LADDER_END,  /* the fattest drains now, its successor comes later */
	LADDER_MORE, /* there is room again for one that was taken away */
};

struct ladder_view {
	uint64_t now_ms;
	uint64_t budget_kb;
	uint64_t pss_kb;     /* of the pool, all processes */
	uint64_t going_kb;   /* of it: workers that leave already */
	uint64_t soon_kb;    /* what it will have grown by in a moment */
	uint64_t fattest_kb; /* USS of the worker that has most of its own */
	uint64_t median_kb;
	uint64_t fattest_age_ms;
	uint32_t workers; /* that serve */
	uint32_t wanted;
	uint32_t cut;    /* how many of them the ladder has taken away */
	bool is_busy;    /* a replacement or a succession is under way */
	bool is_settled; /* the last step has had its time */
	bool may_refork; /* a donor could be found */
};

/* All zero at the start. */
struct ladder {
	uint64_t collected_ms;
	uint64_t reforked_ms;
	uint64_t over_ms; /* since when it is far above, 0 = it is not */
	uint64_t ended_ms;
	uint64_t room_ms; /* since when there is room, 0 = there is none */
};

enum ladder_step ladder_next(struct ladder *, const struct ladder_view *);
const char *ladder_step_name(enum ladder_step);

/* Steps are taken above this part of the budget, in percent. */
#define LADDER_HIGH 90u
#define LADDER_LOW 75u

#endif
