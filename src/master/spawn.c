/*
 * Fork and exec of reforkd-mold: one of the two places of the master that
 * fork. Its argv is already a ruby command line, contiguous and in its own
 * process (RUBY.md 1.1); its channel and the scoreboard go by number.
 *
 * With REFORKD_RUBY in the environment it is that Ruby instead, which loads the
 * same as an extension: the gem's way. With REFORKD_SCRIPT it is a command line
 * of that Ruby's, which comes to the same by itself
 * (ruby/compat/reforkd/script.rb).
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/pidfd.h"
#include "ipc/chan.h"
#include "master/environment.h"
#include "master/master.h"

#define MOLD_NAME "reforkd-mold"
#define EXTENSION_NAME "reforkd_mold.so"
/* Room for titles: the area of argv and environ is all there is. */
#define TITLE_PAD                                                              \
	"                                                                "

#define SCRIPT_SEPARATOR "\x1f"

/* What is executed, and with which command line. */
struct front {
	char *script; /* owned: a copy of REFORKD_SCRIPT, or NULL */
	char path[PATH_MAX + 64];
	char extension[PATH_MAX + 64]; /* "" for the program */
	const char *argv[2 * OPTIONS_LIST_MAX + 16];
};

/* Next to this program (build tree, gem), else in libexec. */
static int
find(const char *name, int mode, char *out, size_t cap, struct fail *why)
{
	char self[PATH_MAX];
	char *slash;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n > 0) {
		self[n] = '\0';
		slash = strrchr(self, '/');
		*slash = '\0';
		snprintf(out, cap, "%s/%s", self, name);
		if (access(out, mode) == 0)
			return 0;
		snprintf(out, cap, "%s/../libexec/reforkd/%s", self, name);
		if (access(out, mode) == 0)
			return 0;
	}
	snprintf(out, cap, "%s/%s", RFK_LIBEXECDIR, name);
	if (access(out, mode) == 0)
		return 0;
	return fail_set(why, ENOENT,
	    "cannot find %s next to %s or in %s: run make, or make install",
	    name, n > 0 ? self : "this program", RFK_LIBEXECDIR);
}

/* "reforkd-mold" options "-e" "" padding: Ruby reads no script and no stdin. */
static void
front_argv(struct front *f, const struct options *o)
{
	size_t n = 0;
	size_t i;

	f->argv[n++] = MOLD_NAME;
	if (f->extension[0] != '\0') {
		f->argv[n++] = "-r";
		f->argv[n++] = f->extension;
	}
	for (i = 0; i < o->rubies; i++)
		f->argv[n++] = o->ruby[i];
	f->argv[n++] = "-e";
	f->argv[n++] = f->extension[0] != '\0' ? "Reforkd.run" : "";
	f->argv[n++] = "--";
	f->argv[n++] = TITLE_PAD;
	f->argv[n] = NULL;
}

static int
front_script(struct front *f, const char *words)
{
	const size_t max = sizeof(f->argv) / sizeof(f->argv[0]) - 1;
	char *save = NULL, *word;
	size_t n = 0;

	f->script = strdup(words);
	if (f->script == NULL)
		return -ENOMEM;
	word = strtok_r(f->script, SCRIPT_SEPARATOR, &save);
	for (; word != NULL && n < max;
	     word = strtok_r(NULL, SCRIPT_SEPARATOR, &save))
		f->argv[n++] = word;
	f->argv[n] = NULL;
	return n > 0 && word == NULL ? 0 : -E2BIG;
}

static int
front_choose(struct front *f, const struct options *o, struct fail *why)
{
	const char *ruby = getenv("REFORKD_RUBY");
	const char *script = getenv("REFORKD_SCRIPT");
	int rc;

	f->script = NULL;
	f->extension[0] = '\0';
	if (ruby == NULL || ruby[0] == '\0') {
		rc = find(MOLD_NAME, X_OK, f->path, sizeof(f->path), why);
	} else {
		snprintf(f->path, sizeof(f->path), "%s", ruby);
		if (access(f->path, X_OK) < 0)
			return fail_set(why, errno,
			    "REFORKD_RUBY=%s cannot be executed: %s (it is the "
			    "path of a ruby)",
			    ruby, strerror(errno));
		rc = find(EXTENSION_NAME, R_OK, f->extension,
		    sizeof(f->extension), why);
	}
	if (rc < 0 || script == NULL || f->extension[0] == '\0') {
		if (rc == 0)
			front_argv(f, o);
		return rc;
	}
	rc = front_script(f, script);
	if (rc < 0)
		fail_set(why, -rc, "REFORKD_SCRIPT: %s", strerror(-rc));
	return rc;
}

static void
exec_mold(struct master *m, const struct front *f, int chan_fd, pid_t master)
{
	char numbers[32];

	signals_default();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != master)
		_exit(1);
	oom_set_early(&m->oom, &m->pool.settings, OOM_MOLD);
	snprintf(numbers, sizeof(numbers), "%d,%d", chan_fd, m->board_fd);
	if (setenv("REFORKD_MOLD", numbers, 1) < 0 ||
	    fd_cloexec(chan_fd, false) < 0 ||
	    fd_cloexec(m->board_fd, false) < 0 ||
	    environment_put(&m->pool.settings) < 0)
		_exit(126);
	if (m->cwd != NULL && chdir(m->cwd) < 0)
		_exit(126);
	execv(f->path, (char *const *)(uintptr_t)f->argv);
	_exit(127);
}

int
spawn_mold(struct master *m, uint32_t generation, pid_t *pid, int *give_pidfd,
    int *give_chan_fd, struct fail *why)
{
	struct front front;
	int pair[2] = { -1, -1 };
	pid_t master = getpid();
	int rc;

	rc = front_choose(&front, m->options, why);
	if (rc == 0 && (rc = chan_pair(pair)) < 0)
		fail_set(
		    why, -rc, "cannot make a socketpair: %s", strerror(-rc));
	if (rc < 0) {
		free(front.script);
		return rc;
	}
	*pid = fork();
	if (*pid == 0)
		exec_mold(m, &front, pair[1], master);
	rc = *pid < 0 ? -errno : pidfd_open_pid(*pid);
	free(front.script);
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
