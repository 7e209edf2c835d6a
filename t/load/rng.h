/*
 * rng.h - splitmix64: the same seed makes the same choices everywhere.
 *
 * Runs in:    t/load
 * Owns:       nothing
 * After fork: nothing to do
 * Raises:     never
 */
#ifndef T_LOAD_RNG_H
#define T_LOAD_RNG_H

#include <stdint.h>

static inline uint64_t
rng_next(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static inline unsigned
rng_below(uint64_t *state, unsigned n)
{
	return (unsigned)((rng_next(state) >> 32) * n >> 32);
}

#endif
