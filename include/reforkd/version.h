/*
 * version.h - what reforkd calls itself.
 *
 * Runs in:    every process
 * Owns:       nothing
 * After fork: unchanged
 * Raises:     never
 */
#ifndef REFORKD_VERSION_H
#define REFORKD_VERSION_H

#define RFK_VERSION "0.1.0"

/* Master and mold refuse each other when this differs: they are two files.
 * `make other` builds both with another one. */
#ifndef RFK_PROTOCOL
#define RFK_PROTOCOL 3u
#endif

#endif
