/*
 * allocator.h - what the settings ask of malloc, as variables for an exec.
 *
 * Runs in:    master (in the child that execs a mold), mold
 * Owns:       nothing
 * After fork: unchanged
 * Raises:     never
 */
#ifndef IPC_ALLOCATOR_H
#define IPC_ALLOCATOR_H

#include <stdbool.h>

struct rfk_settings_table;

/* Into the environment of the exec that follows: 0, -errno. */
int allocator_put(const struct rfk_settings_table *);
/* Was this image started with something else? Asked after environ_take_back. */
bool allocator_differs(const struct rfk_settings_table *);
/* Of what was put for this image nothing is put again. */
void allocator_forget(void);
/* Is the library that was asked for mapped into this process? */
bool allocator_is_mapped(const struct rfk_settings_table *);

#endif
