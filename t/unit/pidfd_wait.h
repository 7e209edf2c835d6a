/* pidfd_wait.h - the test process as a master: a subreaper that waits for ends.
 */
#ifndef UNIT_PIDFD_WAIT_H
#define UNIT_PIDFD_WAIT_H

#include <check.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/pidfd.h"

static struct pidfd_exit end;

static inline void
setup(void)
{
	memset(&end, 0, sizeof(end));
	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
	/* Check's handler would take the group along, a sanitizer's exit 1. */
	(void)signal(SIGTERM, SIG_DFL);
	(void)signal(SIGSEGV, SIG_DFL);
}

/* Blocks until the process has ended: zombie or reaped. */
static inline void
await_death(int pidfd)
{
	struct pollfd pfd = { .fd = pidfd, .events = POLLIN };

	ck_assert_int_eq(poll(&pfd, 1, 10000), 1);
}

/* As a master does: again until it is known, at each event. */
static inline void
await_status(int pidfd)
{
	int rc;

	while ((rc = pidfd_status(pidfd, &end)) == 0)
		ck_assert_int_ge(poll(NULL, 0, 1), 0);
	ck_assert_int_eq(rc, 1);
}

#endif
