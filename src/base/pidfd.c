/*
 * pidfd.c - processes by descriptor, never by number.
 */
#include "base/pidfd.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"

/* Linux 6.13, and the exit code 6.15: newer than the headers here. */
struct pidfd_info {
	uint64_t mask;
	uint64_t cgroupid;
	uint32_t pid, tgid, ppid;
	uint32_t ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
	int32_t exit_code; /* in wait(2) encoding */
};

#define INFO_EXIT (UINT64_C(1) << 3)
#define GET_INFO _IOWR(0xFF, 11, struct pidfd_info)

static bool getinfo_is_off;

void
pidfd_getinfo_off(void)
{
	getinfo_is_off = true;
}

int
pidfd_open_pid(pid_t pid)
{
	long fd = syscall(SYS_pidfd_open, pid, 0); /* CLOEXEC by itself */

	return fd < 0 ? -errno : (int)fd;
}

int
pidfd_signal(int pidfd, int sig)
{
	return syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0) < 0 ? -errno
								       : 0;
}

/* 1 = ended, 0 = not yet, -errno (-ECHILD: not a child of ours). */
static int
wait_pidfd(int pidfd, int flags, struct pidfd_exit *out)
{
	siginfo_t info;

	memset(&info, 0, sizeof(info));
	while (
	    waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG | flags) < 0)
		if (errno != EINTR)
			return -errno;
	if (info.si_pid == 0)
		return 0;
	out->code = info.si_code;
	out->status = info.si_status;
	return 1;
}

/* From wait(2)'s encoding. */
static void
decode(int status, struct pidfd_exit *out)
{
	if (WIFEXITED(status)) {
		out->code = CLD_EXITED;
		out->status = WEXITSTATUS(status);
	} else {
		out->code = WCOREDUMP(status) ? CLD_DUMPED : CLD_KILLED;
		out->status = WTERMSIG(status);
	}
}

/* 1 = known, 0 = not reaped yet, or this kernel does not tell. */
static int
ask_pidfd(int pidfd, struct pidfd_exit *out)
{
	struct pidfd_info info = { .mask = INFO_EXIT };

	if (getinfo_is_off || ioctl(pidfd, GET_INFO, &info) < 0 ||
	    (info.mask & INFO_EXIT) == 0)
		return 0;
	decode(info.exit_code, out);
	return 1;
}

int
pidfd_status(int pidfd, struct pidfd_exit *out)
{
	int rc = wait_pidfd(pidfd, 0, out);

	if (rc != -ECHILD)
		return rc;
	return ask_pidfd(pidfd, out);
}

/*
 * To whom ptrace is not permitted, /proc says that everybody exits with 0. A
 * zombie has no program: the link is not there, or not ours to ask for.
 */
static bool
zero_is_true(pid_t pid)
{
	char path[64], target[1];

	(void)snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	return readlink(path, target, sizeof(target)) < 0 && errno == ENOENT;
}

int
pidfd_corpse(int pidfd, pid_t pid, struct pidfd_exit *out)
{
	char path[64], text[1024];
	const char *state, *last;
	long status;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (!pidfd_gone(pidfd) || fd_read_file(path, text, sizeof(text)) < 0)
		return 0;
	state = strrchr(text, ')'); /* a name may hold anything */
	last = strrchr(text, ' ');  /* exit_code, since Linux 3.5 */
	if (state == NULL || last == NULL || strncmp(state, ") Z ", 4) != 0)
		return 0;
	status = strtol(last, NULL, 10);
	if (status == 0 && !zero_is_true(pid))
		return 0;
	/* Whom a signal still reaches is not reaped, so the number was its. */
	if (pidfd_signal(pidfd, 0) < 0)
		return 0;
	decode((int)status, out);
	return 1;
}

int
pidfd_peek(int pidfd, struct pidfd_exit *out)
{
	return wait_pidfd(pidfd, WNOWAIT, out);
}

int
pidfd_reap(int pidfd)
{
	struct pidfd_exit ignored;
	int rc = wait_pidfd(pidfd, 0, &ignored);

	if (rc < 0)
		return rc;
	return rc == 1 ? 0 : -EAGAIN;
}

bool
pidfd_ok(const struct pidfd_exit *end)
{
	return end->code == CLD_EXITED && end->status == 0;
}

const char *
pidfd_exit_text(const struct pidfd_exit *end, char *out, size_t cap)
{
	const char *name;

	if (end->code == CLD_EXITED) {
		(void)snprintf(out, cap, "exit %d", end->status);
		return out;
	}
	if (end->code != CLD_KILLED && end->code != CLD_DUMPED) {
		(void)snprintf(out, cap, "status unknown");
		return out;
	}
	name = sigabbrev_np(end->status);
	(void)snprintf(out, cap, "%s%s%ssignal %d%s%s",
	    name != NULL ? "SIG" : "", name != NULL ? name : "",
	    name != NULL ? " (" : "", end->status,
	    end->code == CLD_DUMPED ? ", core dumped" : "",
	    name != NULL ? ")" : "");
	return out;
}

bool
pidfd_gone(int pidfd)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	return poll(&p, 1, 0) == 1 && (p.revents & (POLLIN | POLLHUP)) != 0;
}
