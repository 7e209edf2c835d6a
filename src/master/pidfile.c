/*
 * The pid file: written beside its place and renamed, so that a reader never
 * sees half of one; refused while another live process stands in it.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "master/master.h"

static pid_t
pid_in(const char *path)
{
	char text[32];
	char *end;
	long pid;

	if (fd_read_file(path, text, sizeof(text)) <= 0)
		return 0;
	pid = strtol(text, &end, 10);
	if (end == text || pid <= 1 || pid > 0x7fffffff)
		return 0;
	return (pid_t)pid;
}

/* It has ended, and its parent does not reap it: a container's init may not. */
static bool
is_zombie(pid_t pid)
{
	char path[32], text[512];
	const char *state;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (fd_read_file(path, text, sizeof(text)) <= 0)
		return false;
	state = strrchr(text, ')');
	return state != NULL && state[1] == ' ' &&
	       (state[2] == 'Z' || state[2] == 'X');
}

/* 1 when a process with that pid runs; EPERM is taken for a stale file. */
static int
is_live(pid_t pid, const char *path)
{
	if (kill(pid, 0) == 0)
		return !is_zombie(pid);
	if (errno == EPERM)
		log_info("pid=%s possibly stale, got EPERM signalling PID:%d",
		    path, (int)pid);
	return 0;
}

pid_t
pidfile_live(const char *path)
{
	pid_t pid = pid_in(path);

	return pid != 0 && is_live(pid, path) ? pid : 0;
}

static int
write_beside(const char *temporary, struct fail *why)
{
	char text[32];
	int fd, n, rc;

	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return fail_set(why, errno, "cannot write %s: %s", temporary,
		    strerror(errno));
	n = snprintf(text, sizeof(text), "%d\n", (int)getpid());
	fchmod(fd, 0644); /* whatever the umask */
	rc = fd_write_all(fd, text, (size_t)n);
	fd_close(&fd);
	if (rc < 0) {
		unlink(temporary);
		return fail_set(
		    why, -rc, "cannot write %s: %s", temporary, strerror(-rc));
	}
	return 0;
}

int
pidfile_write(const char *path, struct fail *why)
{
	char temporary[4200];
	pid_t other = pid_in(path);
	int rc;

	if (other != 0 && other != getpid() && is_live(other, path))
		return fail_set(why, EEXIST,
		    "Already running on PID:%d (or pid=%s is stale): stop it, "
		    "or remove the file, or name another",
		    (int)other, path);
	snprintf(temporary, sizeof(temporary), "%s.%d", path, (int)getpid());
	rc = write_beside(temporary, why);
	if (rc < 0)
		return rc;
	if (rename(temporary, path) < 0) {
		rc = fail_set(why, errno, "cannot rename %s to %s: %s",
		    temporary, path, strerror(errno));
		unlink(temporary);
		return rc;
	}
	return 0;
}

void
pidfile_remove(const char *path)
{
	if (path[0] != '\0' && pid_in(path) == getpid())
		unlink(path);
}
