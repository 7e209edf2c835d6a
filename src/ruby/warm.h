/*
 * warm.h - heap preparation before a mold forks (DESIGN 7): Process.warmup
 * where Ruby has it; else the coderange scan, GC.compact, three minor
 * collections that make every survivor old, malloc_trim. Never both. Then
 * malloc's holes are filled.
 *
 * Runs in:    mold, once, before READY
 * Owns:       nothing
 * After fork: not run again in workers
 * Raises:     never
 */
#ifndef RUBY_WARM_H
#define RUBY_WARM_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Once per mold, never per fork; logs what it has cost and brought. 0 or
 * -ECANCELED (logged; the heap is then as it was).
 */
int warm_heap(bool compact, uint32_t generation);

#endif
