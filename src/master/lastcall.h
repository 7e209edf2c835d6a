/*
 * lastcall.h - the beginning of a pool's graceful stop: nobody new is let in,
 * and who is queued will be served.
 *
 * Mostly the workers do that while they drain. After WINCH, `scale 0` or in the
 * midst of a crash loop there are none, but the kernel goes on queueing clients
 * for the listeners: one worker is made then, which drains from its first turn.
 *
 * Runs in:    master
 * Owns:       nothing
 * After fork: the master's only forks exec at once
 * Raises:     never
 */
#ifndef MASTER_LASTCALL_H
#define MASTER_LASTCALL_H

struct pool;

/* Before the molds are told to close their copies of the listeners. */
void lastcall_begin(struct pool *);

#endif
