/*
 * thrift.h - refork :auto: does a refork pay now, and did the last one?
 *
 * Gain: what the workers have now above this generation's mean: if the next
 * one goes the same way, that much is saved. Of the first generation nobody
 * knows how the next one will go: half of what its workers have for themselves,
 * as far as they are warm (faults per request against those of the first ones).
 * Cost: CPU time of the last one, paid from a credit that grows with the pool's
 * own CPU time, and no slower than one processor's. It is spent evenly, as even
 * intervals share most: what is saved is to last for five minutes. What both
 * generations hold while they overlap must come in again, too.
 *
 * Yield: PSS before against its mean over as many requests again. Two poor ones
 * make the interval longer, but not by much: the next gain is seen before it is
 * paid for, so that a wrong yield (figures lag when the machine is overloaded)
 * must not stop it.
 *
 * While workers grow as fast as ever with each request it waits: what leaks
 * would be inherited.
 *
 * Runs in:    master; pure, tested with series of samples
 * Owns:       nothing
 * After fork: unchanged
 * Raises:     never
 */
#ifndef MASTER_THRIFT_H
#define MASTER_THRIFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What reforks may cost before the pool has worked at all, in ms of CPU. */
#define THRIFT_CREDIT_MS 10000

#define THRIFT_MARKS 64

struct thrift_rules {
	uint64_t min_gain_kb; /* 0 = 3 % of the pool, at least 6 MB */
	uint64_t interval_ms;
	uint32_t cpu; /* of the pool's CPU time, in 1/100 of a percent */
};

struct thrift_view {
	uint64_t now_ms;
	uint32_t generation;
	uint64_t requests; /* since the fork, mean of the workers */
	uint64_t pss_kb;   /* of the pool */
	uint64_t uss_kb;   /* of the workers, in sum */
	uint64_t rss_kb; /* of the workers, mean: sharing does not change it */
	uint32_t workers;
	uint64_t cpu_ms;      /* of all processes so far; only grows */
	uint64_t mold_rss_kb; /* what the next mold has to prepare */
	uint64_t fattest_kb;  /* the largest worker's PSS */
	uint64_t budget_kb;   /* 0 = none */
	double decay; /* faults per request, now against the first; 0 to 1 */
	bool is_idle; /* no succession is under way, all workers are of it */
};

struct thrift {
	bool has_begun;
	uint32_t generation;
	uint64_t since_ms; /* this generation serves */
	bool is_first;     /* it was not made by a refork */
	double uss_sum_kb; /* over this generation's looks, for the mean */
	uint32_t looks;
	struct thrift_mark {
		uint64_t requests, rss_kb;
	} mark[THRIFT_MARKS]; /* how RSS has grown, at 1, 1.25, 1.56 ... */
	uint32_t marks;
	double credit_ms;
	double earned_ms;         /* of it: since this generation serves */
	uint64_t cpu_ms, look_ms; /* as of the last view */
	uint64_t cost_ms;         /* of the last refork, 0 = not known */
	/* PSS above what it was, times how long, while generations overlap. */
	double overlap_kb_ms, last_overlap_kb_ms;
	uint64_t overlap_ms;
	unsigned int poor;
	/* The refork whose yield is being measured. */
	bool is_measuring;
	bool is_late; /* its first look came when it was no longer young */
	uint64_t its_cost_ms;
	uint64_t before_kb;
	uint64_t before_requests;
	uint64_t until_ms;
	double sum_kb;
	uint32_t samples;
	/* The state right before now: it becomes before_* when one begins. */
	uint64_t seen_pss_kb;
	uint64_t seen_requests;
};

struct thrift_yield {
	uint32_t generation;
	uint64_t before_kb, after_kb; /* after: the mean */
	uint64_t requests;            /* per worker, that it was taken over */
	uint64_t cost_ms;
	int64_t gain_kb;
	double percent;
	bool is_poor;
};

/* One look: true when the yield of the last refork is known, in *out. */
bool thrift_look(struct thrift *, const struct thrift_rules *,
    const struct thrift_view *, struct thrift_yield *out);
/* Should one begin? The reason, or what stands against it, in why. */
bool thrift_pays(const struct thrift *, const struct thrift_rules *,
    const struct thrift_view *, char *why, size_t size);
/* The new generation's mold is ready and has used so much CPU. */
void thrift_cost(struct thrift *, uint64_t cpu_ms);

#endif
