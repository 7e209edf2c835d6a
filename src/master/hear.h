/*
 * hear.h - what a worker or a mold has said, turned into events. Nothing of it
 * is believed that was not asked for.
 *
 * Runs in:    master
 * Owns:       the descriptors of a message, until it has passed them on
 * After fork: the master's only forks exec at once
 * Raises:     never
 */
#ifndef MASTER_HEAR_H
#define MASTER_HEAR_H

struct child;
struct moldlink;
struct rfk_msg;

void hear_worker(struct child *, const struct rfk_msg *, int *take_fds);
void hear_mold(struct moldlink *, const struct rfk_msg *, int *take_fds);

#endif
