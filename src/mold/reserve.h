/*
 * reserve.h - descriptors 3, 4 ... are kept free of others until the file has
 * said whether this pool's work wants listening sockets there, as systemd hands
 * them over (LISTEN_FDS).
 *
 * Runs in:    mold, before Ruby starts and until the file was read
 * Owns:       the descriptors that it holds for others
 * After fork: nothing is left by then
 * Raises:     never
 */
#ifndef MOLD_RESERVE_H
#define MOLD_RESERVE_H

#include <stddef.h>

#define RESERVE_FIRST 3
#define RESERVE_MAX 16

/* Moves our own two out of the way: 0, -errno. */
int reserve_begin(int *channel, int *board);
/* Puts these there, in their order; they are renumbered: 0, -errno. */
int reserve_use(int *fds, size_t n);
void reserve_end(void); /* gives back what nobody wants */

#endif
