/*
 * rights.h - one datagram with descriptors over an AF_UNIX socket: what the
 * channels and the lease protocol are made of.
 *
 * Runs in:    master, mold, worker, reforkctl
 * Owns:       nothing
 * After fork: unchanged
 * Raises:     never
 */
#ifndef BASE_RIGHTS_H
#define BASE_RIGHTS_H

#include <stddef.h>
#include <sys/types.h>

#define RIGHTS_MAX 128

/* Never waits: 0, -EAGAIN, -EPIPE, -errno. The descriptors stay the caller's.
 */
int rights_send(int fd, const void *bytes, size_t len, const int *fds, int n);
/*
 * Never waits: bytes (0 = EOF), or -EAGAIN, -errno. give_fds[RIGHTS_MAX] holds
 * *n descriptors (CLOEXEC) that the caller closes, also with -EPROTO: what came
 * was cut, because it was too long, or descriptors did not fit.
 */
ssize_t rights_recv(int fd, void *bytes, size_t cap, int *give_fds, int *n);
void rights_close(const int *take_fds, int n);

#endif
