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
	} heap[ADVISE_HEAPS];
	/* Since their forks, of all workers together. */
	uint64_t workers, requests;
	uint64_t gc_count, major_count, gc_ms, allocated;
	uint64_t by_newobj, by_malloc; /* in requests, by themselves */
	uint64_t major_oldgen, major_shady, major_oldmalloc;
	uint64_t malloc_samples, malloc_sum, malloc_max; /* of one request */
	uint64_t malloc_limit, oldmalloc_limit; /* where they stand now */
	/* As it is. */
	uint64_t threads, arenas, malloc_kb; /* private, of all workers */
	struct {
		const char *name, *value;
	} setting[ADVISE_SETTINGS];
	size_t settings;
};

/* Below it nothing but preload is judged. */
#define ADVISE_REQUESTS_MIN 200

/*
 * "# why" and "NAME=value" for each; "# ..." alone where there is nothing to
 * say. How many values, or -ENOMEM.
 */
int advise_lines(const struct advise *, struct buf *out);

#endif
