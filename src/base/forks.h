/*
 * forks.h - how often this process has forked: what was open then may have a
 * copy in a child that never calls exec, whoever it was that forked.
 *
 * Runs in:    every process
 * Owns:       a handler of pthread_atfork, which cannot be taken back
 * After fork: the child counts on from its parent's number
 * Raises:     never
 */
#ifndef BASE_FORKS_H
#define BASE_FORKS_H

void forks_watch(void); /* once; before it nothing is counted */
unsigned forks_seen(void);

#endif
