/*
 * clock.h - time. Deadlines are monotonic; only logs know the calendar.
 *
 * Runs in:    every process
 * Owns:       nothing
 * After fork: unchanged; the monotonic clock is the machine's
 * Raises:     never
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

uint64_t clock_ms(void); /* CLOCK_MONOTONIC */
uint64_t clock_us(void);

#endif
