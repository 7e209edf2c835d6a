/*
 * heap.h - RUBY_GC_* for an exec: what the file says (gc), and what oob_gc asks
 * of Ruby's start besides: limits that are high enough that no request meets
 * them. How far a worker goes before it collects is not decided by them, but by
 * src/gc.
 *
 * Runs in:    master (in the child that execs a mold), mold
 * Owns:       nothing
 * After fork: unchanged
 * Raises:     never
 */
#ifndef IPC_HEAP_H
#define IPC_HEAP_H

#include <stdbool.h>

struct rfk_settings_table;

/* The limits where the user has set nothing of the kind: 0, -errno. */
int heap_put(const struct rfk_settings_table *);
/* Was this image started with something else? Asked after environ_take_back. */
bool heap_differs(const struct rfk_settings_table *);
/* Of what was put for this image nothing is put again. */
void heap_forget(void);

#endif
