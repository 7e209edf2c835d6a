/*
 * pidfd.h - processes by descriptor, never by number.
 *
 * Runs in:    master (all of it), mold (open, wait)
 * Owns:       nothing; callers own their pidfds
 * After fork: a pidfd stays what it was; the child closes what it does not need
 * Raises:     never
 */
#ifndef BASE_PIDFD_H
#define BASE_PIDFD_H

#include <stdbool.h>
#include <sys/types.h>

/* How a process ended, in siginfo_t's terms. code 0 = not known. */
struct pidfd_exit {
	int code;   /* CLD_EXITED, CLD_KILLED, CLD_DUMPED, or 0 */
	int status; /* exit status or signal */
};

int pidfd_open_pid(pid_t);            /* fd with CLOEXEC, or -errno */
int pidfd_signal(int pidfd, int sig); /* 0, -errno (-ESRCH: it is gone) */
/*
 * 1 = status known (and the process reaped when it was our child), 0 = not
 * known yet (alive, or dead and not reaped by its parent), -errno.
 * Tries waitid(P_PIDFD), then PIDFD_GET_INFO where the kernel has it.
 */
int pidfd_status(int pidfd, struct pidfd_exit *);
/*
 * As pidfd_status, of a zombie that its parent, stopped or starved, has not
 * reaped: /proc tells. The number is proven to be still the pidfd's.
 */
int pidfd_corpse(int pidfd, pid_t, struct pidfd_exit *);
/* A child of ours: 1 = it has ended, and is still to be reaped by pidfd_reap.
 */
int pidfd_peek(int pidfd, struct pidfd_exit *);
int pidfd_reap(int pidfd);
bool pidfd_gone(int pidfd);   /* it has ended, reaped or not; never waits */
void pidfd_getinfo_off(void); /* REFORKD_FAULT=getinfo: as on older kernels */
bool pidfd_ok(const struct pidfd_exit *); /* exited with 0 */
/* "exit 3", "SIGKILL (signal 9)", "SIGSEGV (signal 11, core dumped)", "status
 * unknown". */
const char *pidfd_exit_text(const struct pidfd_exit *, char *out, size_t cap);

#endif
