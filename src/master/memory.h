/*
 * memory.h - what the pool's processes cost, and what is done about it: the
 * limits of workers, the budget with its ladder, refork :auto.
 *
 * RSS is read from statm twice a second; PSS and USS one process after the
 * other by a thread (sampler.h), paced so that it takes half a percent of one
 * CPU, one percent with a budget, and five until each process of a generation
 * has been seen or while the budget is near: then each sample is followed by a
 * look at everything. In between, growth of RSS counts as private.
 *
 * Runs in:    master
 * Owns:       the sampler and two timers
 * After fork: the master's only forks exec at once
 * Raises:     never
 */
#ifndef MASTER_MEMORY_H
#define MASTER_MEMORY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <ev.h>

#include <reforkd/proto.h>

#include "master/cgroup.h"
#include "master/ladder.h"
#include "master/thrift.h"

struct pool;
struct child;
struct buf;
struct sampler;

/* What is known of one process. */
struct figures {
	pid_t pid;         /* 0 = nothing is */
	uint64_t asked_ms; /* of the last full sample, 0 = none yet */
	uint64_t at_ms;    /* when it came */
	uint64_t rss_kb, pss_kb, uss_kb; /* then */
	uint64_t rss_now_kb;
	uint64_t grown_kb; /* between the last two looks */
	uint64_t requests; /* as of the sample */
	int64_t cpu_ms;
	/* Faults per request: in the first window, and lately; < 0 = no window
	 * yet. */
	uint64_t window_ms, window_requests, window_faults;
	double early, late;
};

#define MEMORY_MOLDS 16
#define MEMORY_OTHERS (MEMORY_MOLDS + 1) /* and the master */

/* The sums, made anew at each look. */
struct totals {
	uint64_t pss_kb;   /* all processes */
	uint64_t going_kb; /* of it: USS of workers that leave or shall */
	uint64_t grown_kb; /* RSS since the last look */
	uint64_t uss_kb;   /* workers that serve */
	uint64_t rss_kb;   /* theirs */
	uint64_t requests;
	uint64_t fattest_kb, fattest_pss_kb, median_kb;
	struct child *fattest;
	uint32_t workers;
	double early, late; /* faults per request, summed up */
	double decay;
	bool is_complete; /* every process has been sampled once */
	bool is_current;  /* all workers are of the pool's generation */
};

struct memory {
	struct pool *pool;
	struct sampler *sampler; /* NULL = nothing here is wanted */
	ev_timer tick;
	ev_timer rest; /* until the next sample */
	struct figures worker[RFK_ROWS_MAX];
	struct figures other[MEMORY_OTHERS];
	uint64_t next_ms; /* no sample before */
	uint64_t acted_ms;
	uint64_t cpu_ms; /* of all processes, ever */
	uint32_t statm_at;
	bool is_blind; /* smaps_rollup cannot be read: RSS counts. Said once. */
	struct totals now;
	struct cgroup cgroup;
	struct cgroup_events events;
	bool has_events;
	uint64_t watched_ms, pressure_ms;
	uint64_t budget_kb;
	uint64_t budget_ms; /* when it was last worked out */
	struct ladder ladder;
	uint32_t cut; /* workers that the ladder took away */
	uint32_t wanted;
	uint32_t collecting; /* the next slot that is asked to collect */
	struct thrift thrift;
	struct thrift_yield yield; /* of the last refork that was measured */
	bool has_yield;
	char auto_text[192]; /* what refork :auto thinks: begun, or what is
				missing */
	uint32_t generation;
	uint64_t generation_ms; /* since when it is the current one */
};

/* NULL: -ENOMEM. It does nothing until memory_apply. */
struct memory *memory_open(struct pool *);
void memory_close(struct memory *);
/* The pool's settings are in force: starts or stops what they need. */
void memory_apply(struct memory *);
/* Fields of the pool's record. */
void memory_say(const struct memory *, struct buf *line);

/* It has far more of its own than the others: a leak, and no donor. */
bool memory_is_fat(const struct memory *, const struct child *);
/* figures.c: each place knows whose figures it holds. */
void memory_follow(struct memory *);
/* totals.c: makes the sums in memory->now. */
void memory_sum(struct memory *);

/* rules.c: what follows from the sums. */
void rules_limit(struct memory *, struct child *, const struct figures *);
void rules_look(struct memory *, uint64_t now_ms);
bool rules_wanted(const struct memory *); /* any of it is asked for */
void rules_budget(struct memory *, uint64_t now_ms);
/* figures: PSS and USS with what RSS has grown since. */
uint64_t figures_pss_kb(const struct figures *);
uint64_t figures_uss_kb(const struct figures *);
bool rules_over(const struct memory *, const struct child *,
    const struct figures *); /* seems to be above its limit */

#endif
