/*
 * classic.h - the ways of others, to compare with: Discourse's of 2014, which
 * looks at the live slots of the whole heap, and unicorn's, every n requests.
 *
 * Runs in:    worker, t/
 * Owns:       nothing
 * After fork: unchanged
 * Raises:     never
 */
#ifndef GC_CLASSIC_H
#define GC_CLASSIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gc_discourse {
	uint64_t max_delta; /* slots that a big request takes */
	uint64_t expect;    /* live slots at which Ruby would collect; 0 = ? */
	uint64_t requests;  /* since the last collection */
};

struct gc_heap {
	uint64_t count, live, free;
};

enum gc_discourse_says {
	GC_DISCOURSE_WAIT,
	GC_DISCOURSE_HIT,
	GC_DISCOURSE_MISS
};

/* After a request: HIT = collect now, MISS = one happened inside. */
enum gc_discourse_says gc_discourse_request(struct gc_discourse *,
    const struct gc_heap *before, const struct gc_heap *after);
/* The lines as published; of a hit before gc_discourse_collected. */
void gc_discourse_hit_line(const struct gc_discourse *, int pid,
    uint64_t saved_ms, char *out, size_t size);
void gc_discourse_miss_line(
    const struct gc_discourse *, int pid, char *out, size_t size);
/* After the collection, or a miss whose line is written. */
void gc_discourse_collected(struct gc_discourse *, const struct gc_heap *after);

/* unicorn: true each `every` requests. */
bool gc_every_request(uint64_t *requests, uint64_t every);

#endif
