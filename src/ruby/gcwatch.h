/*
 * gcwatch.h - how often Ruby's collector ran in this process, and the CPU time
 * it took, seen from outside of any policy: an internal tracepoint, or before
 * Ruby 3.3 what GC.total_time counts.
 *
 * Runs in:    mold (made there), worker
 * Owns:       one registered tracepoint, pinned symbols
 * After fork: goes on counting in the child
 * Raises:     never
 */
#ifndef RUBY_GCWATCH_H
#define RUBY_GCWATCH_H

#include <stdint.h>

struct ruby_error;

struct gcwatch {
	uint64_t starts; /* collections begun */
	uint64_t cpu_ns; /* in the collector */
};

int gcwatch_open(struct ruby_error *why); /* once; 0, -ECANCELED */
struct gcwatch gcwatch_read(void);
uint64_t gcwatch_cpu_ns(void); /* what this thread has used of the CPU */

#endif
