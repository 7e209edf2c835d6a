#include "mold/hatch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/pidfd.h"
#include "ipc/chan.h"
#include "mold/again.h"
#include "mold/mold.h"
#include "mold/state.h"
#include "mold/wake.h"
#include "ruby/hooks.h"
#include "ruby/try.h"
#include "ruby/vm.h"
#include "worker/self.h"

static enum role
not_spawned(struct mold *m, const struct rfk_fork *fork, const char *text)
{
	struct rfk_msg msg = { .type = RFK_MSG_NOT_SPAWNED,
		.tail = text,
		.tail_len = (uint32_t)strlen(text) };

	msg.u.fork = *fork;
	/* The master logs it. */
	return chan_put(m->self->master, &msg, NULL, 0) == 0 ? ROLE_MOLD
							     : ROLE_EXIT;
}

/* The callback is told of the worker that will be, as in unicorn. */
static int
before_fork(
    struct mold *m, const struct rfk_fork *fork, char *text, size_t size)
{
	struct rfk_hook about = { .slot = fork->slot,
		.generation = fork->generation };
	struct ruby_error why;

	if (hooks_about_worker(HOOK_BEFORE_FORK, m->self, &about, &why) == 0) {
		state_send(m->self);
		/* Heroku's files trap TERM here, in what they take for the
		 * master. */
		if (m->self->settings.personality == RFK_UNICORN)
			m->traps_term = (wake_claim() & 1u << SIGTERM) != 0;
		return 0;
	}
	ruby_error_log("before_fork", &why);
	snprintf(text, size, "before_fork: %.500s (%.100s)", why.message,
	    why.class_name);
	return -ECANCELED;
}

static enum role
newborn(struct mold *m, const struct rfk_fork *fork, int take_fd)
{
	struct self *self = m->self;
	int rc;

	fault_at("after_fork");
	fault_at("before_spawned");
	mold_fini(m);
	rc = self_newborn(self, fork, take_fd);
	if (rc < 0) {
		log_error("worker=%u gen=%u: %s", fork->slot, fork->generation,
		    strerror(-rc));
		_exit(1);
	}
	if (self->settings.worker_exec != 0 && !self->is_service)
		again_as_worker(self, fork);
	(void)prctl(PR_SET_NAME, "reforkd-worker");
	return ROLE_WORKER;
}

/* Its death is known to nobody else, so it is ended and reaped here. */
static void
undo(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static enum role
spawned(struct mold *m, const struct rfk_fork *fork, pid_t pid, int take_fd)
{
	struct rfk_msg msg = { .type = RFK_MSG_SPAWNED };
	int fds[2] = { -1, take_fd };
	int pidfd = pidfd_open_pid(pid);
	char text[128];
	int rc = pidfd;

	if (pidfd >= 0) {
		fds[0] = fcntl(pidfd, F_DUPFD_CLOEXEC, 3);
		rc = fds[0] >= 0 ? 0 : -errno;
	}
	if (rc < 0) {
		snprintf(text, sizeof(text), "%s: %s",
		    pidfd < 0 ? "pidfd_open" : "fcntl", strerror(-rc));
		undo(pid);
		fd_close(&pidfd);
		fd_close(&fds[1]);
		return not_spawned(m, fork, text);
	}
	/* Room was made before the fork: this cannot fail. */
	(void)mold_child_add(m, pidfd, pid, fork->token);
	msg.u.spawned.token = fork->token;
	msg.u.spawned.slot = fork->slot;
	msg.u.spawned.row = fork->row;
	msg.u.spawned.generation = fork->generation;
	msg.u.spawned.pid = pid;
	msg.u.spawned.traps_term = m->traps_term;
	fault_at("mold_before_spawned");
	return chan_put(m->self->master, &msg, fds, 2) == 0 ? ROLE_MOLD
							    : ROLE_EXIT;
}

enum role
hatch(struct mold *m, const struct rfk_fork *fork)
{
	struct ruby_error why;
	int pair[2];
	char text[768];
	pid_t pid;
	int rc = mold_reserve(m);

	if (rc == 0 && before_fork(m, fork, text, sizeof(text)) < 0)
		return not_spawned(m, fork, text);
	if (rc == 0)
		rc = chan_pair(pair);
	if (rc < 0)
		return not_spawned(m, fork, strerror(-rc));
	if (fault_fails("fork")) {
		pid = -EAGAIN;
		snprintf(why.message, sizeof(why.message), "a test's fault");
		snprintf(why.class_name, sizeof(why.class_name), "EAGAIN");
	} else {
		pid = vm_fork(&why);
	}
	if (pid == 0) {
		fd_close(&pair[0]);
		return newborn(m, fork, pair[1]);
	}
	fd_close(&pair[1]);
	if (pid < 0) {
		fd_close(&pair[0]);
		snprintf(text, sizeof(text), "fork: %.500s (%.100s)",
		    why.message, why.class_name);
		return not_spawned(m, fork, text);
	}
	fault_at("mold_forked");
	return spawned(m, fork, pid, pair[0]);
}
