/*
 * advise.h - which variables Ruby's collector should be started with: numbers
 * in, lines out.
 *
 * Runs in:    reforkctl; pure
 * Owns:       nothing
 * After fork: does not fork
 * Raises:     never
 */
#ifndef CTL_ADVISE_H
#define CTL_ADVISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define ADVISE_HEAPS 8
#define ADVISE_SETTINGS 32

struct advise {
	int major, minor; /* of Ruby's version */
	/* When the booted mold was READY. */
	uint64_t preload_count, preload_ms; /* collections until then */
	size_t heaps;
	struct {
		uint64_t slot_size, preload_live;
		uint64_t slots, live; /* of the worker that has most of them */
		uint64_t made;        /* objects since preload, of the same */
	} heap[ADVISE_HEAPS];
	/* Since their forks, of all workers together. */
	uint64_t workers, requests;
	uint64_t gc_count, major_count, gc_ms, allocated;
	uint64_t by_newobj, by_malloc; /* in requests, by themselves */
	uint64_t major_oldgen, major_shady, major_oldmalloc;
	uint64_t malloc_samples, malloc_sum, malloc_max; /* of one request */
	uint64_t malloc_limit, oldmalloc_limit; /* where they stand now */
	uint64_t hits, misses; /* collections between requests, and inside */
	uint64_t gc_in_us, gc_out_us;
	/* Of the worker with most requests: its heap, at half of them and now.
	 */
	uint64_t half_requests, half_slots, all_slots;
	/* As it is. */
	bool is_batch; /* a run block: no requests */
	uint64_t rss_peak_kb;
	uint64_t mold_slots, mold_live, mold_compactions;
	uint64_t threads, arenas, malloc_kb; /* private, of all workers */
	struct {
		const char *name, *value;
	} setting[ADVISE_SETTINGS];
	size_t settings;
};

/* Below it nothing but preload is judged. */
#define ADVISE_REQUESTS_MIN 200
/* Below it nothing is said to be superfluous. */
#define ADVISE_IDLE_MIN 5000

/*
 * A rule's word. name: of a variable, whose value follows; NULL: value is a
 * line of the configuration file, or NULL where there is nothing to set.
 */
struct advise_item {
	const char *rule, *name, *value, *why;
};
typedef int advise_each(void *arg, const struct advise_item *); /* -errno */

/* How many can be set, or -errno. */
int advise(const struct advise *, advise_each *, void *arg);
/*
 * "# why" and "NAME=value" for each; "# ..." alone where there is nothing to
 * say. How many can be set, or -ENOMEM.
 */
int advise_lines(const struct advise *, struct buf *out);

#endif
