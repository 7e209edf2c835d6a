/*
 * body.h - the bytes that requests carry, and their CRC-32 as Zlib counts it.
 *
 * Runs in:    t/load
 * Owns:       one block of random bytes, made once from the seed
 * After fork: never forks
 * Raises:     never
 */
#ifndef T_LOAD_BODY_H
#define T_LOAD_BODY_H

#include <stddef.h>
#include <stdint.h>

enum {
	BODY_SMALL = 100 * 1024,
	BODY_LARGE = 5 * 1024 * 1024,
	BODY_PLACES = 64, /* where in the block a body may start */
};

int body_init(uint64_t seed); /* 0, -errno */
const unsigned char *body_bytes(unsigned place);
uint32_t body_crc(unsigned place, size_t len);

#endif
