/*
 * kernel.c - each needed call is made once, on nobody but this process.
 */
#include "base/kernel.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/pidfd.h"

static int
result_of_fd(int fd)
{
	int rc = fd < 0 ? -errno : 0;

	fd_close(&fd);
	return rc;
}

static int
try_pidfd_open(void)
{
	int fd = pidfd_open_pid(getpid());
	int rc = fd < 0 ? fd : 0;

	fd_close(&fd);
	return rc;
}

static int
try_pidfd_send_signal(void)
{
	int fd = pidfd_open_pid(getpid());
	int rc = fd < 0 ? fd : pidfd_signal(fd, 0);

	fd_close(&fd);
	return rc;
}

/* Nobody is one's own child: ECHILD says that the question was understood. */
static int
try_waitid(void)
{
	struct pidfd_exit ignored;
	int fd = pidfd_open_pid(getpid());
	int rc = fd < 0 ? fd : pidfd_peek(fd, &ignored);

	fd_close(&fd);
	return rc == -ECHILD ? 0 : rc;
}

/* As it was: whoever daemonizes is not the one who adopts. */
static int
try_subreaper(void)
{
	int was = 0;

	if (prctl(PR_GET_CHILD_SUBREAPER, &was, 0, 0, 0) < 0 ||
	    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_CHILD_SUBREAPER, was, 0, 0, 0) < 0)
		return -errno;
	return 0;
}

static int
try_memfd(void)
{
	return result_of_fd(
	    memfd_create("reforkd-try", MFD_CLOEXEC | MFD_ALLOW_SEALING));
}

static int
try_seqpacket(void)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	fd_close(&pair[0]);
	fd_close(&pair[1]);
	return 0;
}

static int
try_signalfd(void)
{
	sigset_t none;

	sigemptyset(&none);
	return result_of_fd(signalfd(-1, &none, SFD_CLOEXEC));
}

static const struct need {
	const char *call;
	const char *since;
	int (*attempt)(void);
} needs[] = {
	{ "pidfd_open", "5.3", try_pidfd_open },
	{ "pidfd_send_signal", "5.1", try_pidfd_send_signal },
	{ "waitid(P_PIDFD)", "5.4", try_waitid },
	{ "prctl(PR_SET_CHILD_SUBREAPER)", "3.4", try_subreaper },
	{ "memfd_create", "3.17", try_memfd },
	{ "socketpair(AF_UNIX, SOCK_SEQPACKET)", "2.6.4", try_seqpacket },
	{ "signalfd", "2.6.27", try_signalfd },
};

static int
lacks(const struct need *need, int error, struct fail *why)
{
	const char *name = strerrorname_np(error);
	struct utsname here;
	bool known = uname(&here) == 0;

	if (error == EMFILE)
		return fail_set(why, error,
		    "%s: EMFILE (%s): raise the limit (ulimit -n, systemd's "
		    "LimitNOFILE=)",
		    need->call, strerror(error));
	return fail_set(why, error,
	    "%s: %s (%s): Linux %s or later is needed, and a seccomp filter "
	    "that allows it; this is %s %s",
	    need->call, name != NULL ? name : "?", strerror(error), need->since,
	    known ? here.sysname : "another kernel", known ? here.release : "");
}

int
kernel_check(struct fail *why)
{
	size_t i;
	int rc;

	for (i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
		rc = needs[i].attempt();
		if (rc < 0)
			return lacks(&needs[i], -rc, why);
	}
	return 0;
}
