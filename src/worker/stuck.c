/* stuck.c - /proc/self/task/TID/syscall. */
#include "worker/stuck.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/fd.h"

static const char *
call_name(long nr)
{
	static const struct {
		long nr;
		const char *name;
	} names[] = {
		{ SYS_read, "read" },
		{ SYS_write, "write" },
		{ SYS_futex, "futex (a lock or a condition)" },
		{ SYS_connect, "connect" },
		{ SYS_recvfrom, "recvfrom" },
		{ SYS_recvmsg, "recvmsg" },
		{ SYS_sendto, "sendto" },
		{ SYS_ppoll, "ppoll" },
		{ SYS_epoll_pwait, "epoll_pwait" },
		{ SYS_clock_nanosleep, "clock_nanosleep" },
		{ SYS_nanosleep, "nanosleep" },
		{ SYS_wait4, "wait4" },
		{ SYS_flock, "flock" },
		{ SYS_fcntl, "fcntl" },
		{ SYS_fsync, "fsync" },
#ifdef SYS_poll
		{ SYS_poll, "poll" },
		{ SYS_select, "select" },
		{ SYS_epoll_wait, "epoll_wait" },
#endif
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].nr == nr)
			return names[i].name;
	return "";
}

/* "in system call 0 read", or that the thread runs code that never pauses. */
void
stuck_text(pid_t tid, char *out, size_t size)
{
	char path[64], text[256] = "";
	char *end;
	long nr;

	snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", (int)tid);
	if (fd_read_file(path, text, sizeof(text)) < 0)
		snprintf(text, sizeof(text), "unknown");
	text[strcspn(text, "\n")] = '\0';
	nr = strtol(text, &end, 10);
	if (end == text)
		snprintf(out, size,
		    "no Ruby safe point since the soft timeout, %s",
		    strcmp(text, "running") == 0 ? "running native code"
						 : text);
	else
		snprintf(out, size,
		    "no Ruby safe point since the soft timeout, "
		    "in system call %ld %s (%.100s)",
		    nr, call_name(nr), text);
}
