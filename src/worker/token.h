/*
 * token.h - at most half of the workers that have nothing to do collect at
 * once.
 *
 * A worker first says in its row that it collects, then counts. Two that see
 * each other both step back, and try again. The row is cleared when its worker
 * is gone, so that a death leaks nothing, and nobody is asked: the master would
 * be a round trip away.
 *
 * Runs in:    worker
 * Owns:       nothing
 * After fork: the child's row is another
 * Raises:     never
 */
#ifndef WORKER_TOKEN_H
#define WORKER_TOKEN_H

#include <stdbool.h>

struct rfk_board;
struct rfk_row;

/* Who must collect does not ask, and is counted all the same. */
bool token_take(const struct rfk_board *, struct rfk_row *, bool must);
void token_give(struct rfk_row *);

#endif
