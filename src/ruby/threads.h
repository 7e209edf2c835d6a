/*
 * threads.h - may this process fork a mold now?
 *
 * Refused while a Ruby thread other than the main one is neither marked
 * :fork_safe (thread variable, puma's and Rails' convention) nor asleep, or
 * inside Reforkd.prevent_fork { }.
 *
 * Runs in:    worker (donor), mold (candidate)
 * Owns:       nothing
 * After fork: other threads are gone; the check sees what is left
 * Raises:     never
 */
#ifndef RUBY_THREADS_H
#define RUBY_THREADS_H

#include <stddef.h>

struct ruby_error;

/* At the mold's boot: Reforkd.prevent_fork exists from here. 0, -ECANCELED. */
int threads_define(struct ruby_error *why);

/*
 * 1 = safe, 0 = not; the text names each thread that refused, and each that was
 * let through when none did, with the line that started it ("" when there is
 * no other thread).
 */
int threads_fork_safe(char *text, size_t size);

/* Connected sockets (not listeners, not ours) that Ruby IO objects or bare
 * descriptors of this process hold: number, and their peers in text. */
int threads_shared_sockets(
    const int *ours, size_t nours, char *text, size_t size);

#endif
