/*
 * cutoff.h - the last call of a listening socket: nobody new comes in, and
 * those whom the kernel has queued can still be accepted.
 *
 * Closing a listener, or shutting one of TCP's down, resets what is queued on
 * it. So a TCP listener first gets a socket filter that drops SYNs: a client
 * then tries again for a second, which is time enough to empty the queue; only
 * then is the socket shut down, in all processes at once, and the client learns
 * that nobody listens. A UNIX listener refuses new ones as soon as it is shut
 * down for reading, and keeps its queue.
 *
 * The filter is the mark, too: whoever holds a copy of the socket sees it.
 *
 * Runs in:    master, worker
 * Owns:       nothing
 * After fork: a property of the socket, not of the process
 * Raises:     never
 */
#ifndef BASE_CUTOFF_H
#define BASE_CUTOFF_H

#include <stdbool.h>

/*
 * A connection whose handshake is under way when the cutoff begins is queued
 * within a round trip; nobody can say how many of them there are.
 */
#define CUTOFF_GRACE_MS 100

int cutoff_begin(int listener); /* 0, -errno; again does no harm */
/*
 * The mark alone for a UNIX listener: who serves it begins in earnest, when it
 * can tell the last one by backlog.h. TCP: the same as cutoff_begin.
 */
int cutoff_announce(int listener);
bool cutoff_begun(int listener); /* by any process */
/* Is it certain that nothing follows what is queued now? UNIX: at once. */
bool cutoff_is_sharp(int listener);
/* Shuts it down in all processes when nothing is queued; not needed for UNIX.
 */
void cutoff_end_if_empty(int listener);

#endif
