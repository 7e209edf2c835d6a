/*
 * Fork and exec of reforkd-mold: one of the two places of the master that
 * fork. Its argv is already a ruby command line, contiguous and in its own
 * process (RUBY.md 1.1); its channel and the scoreboard go by number.
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/pidfd.h"
#include "ipc/chan.h"
#include "master/environment.h"
#include "master/master.h"

#define MOLD_NAME "reforkd-mold"
/* Room for titles: the area of argv and environ is all there is. */
#define TITLE_PAD                                                              \
	"                                                                "

/* Next to this program (build tree), else in libexec. */
static int
mold_path(char *out, size_t cap, struct fail *why)
{
	char self[PATH_MAX];
	char *slash;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n > 0) {
		self[n] = '\0';
		slash = strrchr(self, '/');
		*slash = '\0';
		snprintf(out, cap, "%s/" MOLD_NAME, self);
		if (access(out, X_OK) == 0)
			return 0;
		snprintf(out, cap, "%s/../libexec/reforkd/" MOLD_NAME, self);
		if (access(out, X_OK) == 0)
			return 0;
	}
	snprintf(out, cap, "%s/" MOLD_NAME, RFK_LIBEXECDIR);
	if (access(out, X_OK) == 0)
		return 0;
	return fail_set(why, ENOENT,
	    "cannot find " MOLD_NAME " next to %s or in %s: run make, or make "
	    "install",
	    n > 0 ? self : "this program", RFK_LIBEXECDIR);
}

/* "reforkd-mold" options "-e" "" padding: Ruby reads no script and no stdin. */
static void
mold_argv(const struct options *o, const char **argv)
{
	size_t n = 0;
	size_t i;

	argv[n++] = MOLD_NAME;
	for (i = 0; i < o->rubies; i++)
		argv[n++] = o->ruby[i];
	argv[n++] = "-e";
	argv[n++] = "";
	argv[n++] = "--";
	argv[n++] = TITLE_PAD;
	argv[n] = NULL;
}

static void
exec_mold(struct master *m, const char *path, int chan_fd, pid_t master)
{
	const char *argv[2 * OPTIONS_LIST_MAX + 8];
	char numbers[32];

	signals_default();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != master)
		_exit(1);
	oom_set(&m->oom, OOM_MOLD, getpid());
	mold_argv(m->options, argv);
	snprintf(numbers, sizeof(numbers), "%d,%d", chan_fd, m->board_fd);
	if (setenv("REFORKD_MOLD", numbers, 1) < 0 ||
	    fd_cloexec(chan_fd, false) < 0 ||
	    fd_cloexec(m->board_fd, false) < 0 ||
	    environment_put(&m->pool.settings) < 0)
		_exit(126);
	if (m->cwd != NULL && chdir(m->cwd) < 0)
		_exit(126);
	execv(path, (char *const *)(uintptr_t)argv);
	_exit(127);
}

int
spawn_mold(struct master *m, uint32_t generation, pid_t *pid, int *give_pidfd,
    int *give_chan_fd, struct fail *why)
{
	char path[PATH_MAX + 64];
	int pair[2];
	pid_t master = getpid();
	int rc;

	rc = mold_path(path, sizeof(path), why);
	if (rc < 0)
		return rc;
	rc = chan_pair(pair);
	if (rc < 0)
		return fail_set(
		    why, -rc, "cannot make a socketpair: %s", strerror(-rc));
	*pid = fork();
	if (*pid == 0)
		exec_mold(m, path, pair[1], master);
	rc = *pid < 0 ? -errno : pidfd_open_pid(*pid);
	fd_close(&pair[1]);
	if (rc < 0) {
		if (*pid > 0)
			kill(*pid, SIGKILL); /* our own child: not reaped yet */
		fd_close(&pair[0]);
		return fail_set(why, -rc, "cannot start the mold of gen=%u: %s",
		    generation, strerror(-rc));
	}
	*give_pidfd = rc;
	*give_chan_fd = pair[0];
	return 0;
}
