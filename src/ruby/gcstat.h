/*
 * gcstat.h - Ruby's collector, as src/gc wants to see it: its counters, and a
 * collection on demand.
 *
 * gcstat_look costs three counters (some 50 ns) and is for every request;
 * gcstat_read asks each pool, gcstat_read_whole is for after a collection.
 *
 * Runs in:    mold (opened there), worker
 * Owns:       pinned symbols
 * After fork: unchanged
 * Raises:     never
 */
#ifndef RUBY_GCSTAT_H
#define RUBY_GCSTAT_H

#include <stdbool.h>
#include <stddef.h>

#include "gc/classic.h"
#include "gc/sample.h"

struct ruby_error;

int gcstat_open(struct ruby_error *why); /* once; 0, -ECANCELED */

struct gcstat_look {
	uint64_t count, allocated, malloc_bytes;
};
void gcstat_look(struct gcstat_look *);
/* 0, -ECANCELED: an application has replaced GC.stat_heap by what raises. */
int gcstat_read(struct gc_sample *);
int gcstat_read_whole(struct gc_sample *);
void gcstat_heap(struct gc_heap *); /* what Discourse's rule looks at */
uint64_t gcstat_majors(void);
/* Why the last collection was a major one: "nofree", ...; "" = it was not. */
void gcstat_major_by(char *out, size_t size);
/* What began the last one: "newobj", "malloc", "method", ... */
void gcstat_by(char *out, size_t size);
/* Did the application itself ask for the last collection? */
bool gcstat_was_asked_for(void);

/* Marks and sweeps to the end; a minor one becomes major when Ruby wants it. */
int gcstat_collect(bool full);
/* Marks only: who allocates sweeps, a page when it needs one. */
int gcstat_mark(void);
/* Ends what is begun: incremental marking, lazy sweeping. */
void gcstat_finish(void);

#endif
