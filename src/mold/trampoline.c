/*
 * trampoline.c - mold, worker, and mold again.
 *
 * The roles are a trampoline at the bottom of the stack, so that generation 30
 * is no deeper than generation 2: Ruby scans the stack at every collection.
 */
#include "mold/trampoline.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/fd.h"
#include "base/kernel.h"
#include "base/log.h"
#include "ipc/board.h"
#include "ipc/chan.h"
#include "mold/boot.h"
#include "mold/reserve.h"
#include "ruby/vm.h"

/* "CHANNEL,BOARD" in the environment, which the application must not see. */
static int
env_read(int *channel, int *board)
{
	const char *text = getenv("REFORKD_MOLD");
	char rest;

	if (text == NULL || sscanf(text, "%d,%d%c", channel, board, &rest) != 2)
		return -ENODEV;
	unsetenv("REFORKD_MOLD");
	if (*channel < 3 || *board < 3 || fd_cloexec(*channel, true) < 0 ||
	    fd_cloexec(*board, true) < 0)
		return -ENODEV;
	return 0;
}

static int
refuse_start(int error)
{
	if (error == ENODEV)
		fprintf(stderr,
		    "reforkd-mold: it is started by reforkd, not by hand\n");
	else if (error == EMFILE || error == EINVAL) /* a dup above the limit */
		fprintf(stderr,
		    "reforkd-mold: too few descriptors: raise the limit of "
		    "open files (ulimit -n, systemd's LimitNOFILE=)\n");
	else
		fprintf(stderr, "reforkd-mold: %s\n", strerror(error));
	return 64;
}

static int
self_init(struct self *self, int *board)
{
	int channel = -1;
	int rc = env_read(&channel, board);

	if (rc == 0)
		rc = reserve_begin(&channel, board);
	if (rc < 0)
		return rc;
	self->role = ROLE_MOLD;
	snprintf(self->pool, sizeof(self->pool), "default");
	self->born_us = clock_us();
	self->master_pid = getppid();
	(void)fd_nonblock(channel, true);
	self->master = chan_open(channel, RFK_MASTER);
	if (self->master == NULL)
		return -ENOMEM;
	self->board = board_map(*board);
	if (self->board == NULL)
		return errno != 0 ? -errno : -EINVAL;
	return settings_init(&self->settings);
}

/* Whoever waits for it learns by what it has ended, as of any program. */
static void
end_by(int signo)
{
	struct sigaction sa = { .sa_handler = SIG_DFL };
	sigset_t all;

	sigemptyset(&sa.sa_mask);
	sigemptyset(&all);
	(void)sigaction(signo, &sa, NULL);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	(void)kill(getpid(), signo);
}

static int
leave(struct self *self)
{
	int status;

	if (!self->run_at_exit)
		_exit(self->exit_status);
	status = vm_stop(self->exit_status);
	if (self->end_signal != 0)
		end_by(self->end_signal);
	chan_close(self->master);
	settings_fini(&self->settings);
	return status;
}

static void
on_file_limit(int signo)
{
	(void)signo;
}

/*
 * A log that has reached RLIMIT_FSIZE is a line less and no death; the
 * application's own write raises EFBIG. A handler, because what it spawns would
 * inherit SIG_IGN.
 */
static void
file_limit_outlive(void)
{
	struct sigaction sa = { .sa_handler = on_file_limit,
		.sa_flags = SA_RESTART };

	sigemptyset(&sa.sa_mask);
	(void)sigaction(SIGXFSZ, &sa, NULL);
}

int
trampoline_init(struct trampoline *t)
{
	struct fail why = FAIL_INIT;
	int rc;

	memset(t, 0, sizeof(*t));
	t->board = -1;
	rc = self_init(&t->self, &t->board);
	if (rc < 0)
		return refuse_start(-rc);
	(void)prctl(PR_SET_NAME, "reforkd-mold");
	fault_init();
	/* The master has asked, yet who started this may have a filter more. */
	if (kernel_check(&why) < 0) {
		(void)boot_failed_text(&t->self, true, why.text);
		return 1;
	}
	file_limit_outlive();
	return 0;
}

void
trampoline_stillborn(struct trampoline *t)
{
	(void)boot_failed_text(
	    &t->self, false, "Ruby did not start: it has said why on stderr");
}

int
trampoline_run(struct trampoline *t)
{
	enum role role = ROLE_EXIT;

	if (boot_run(&t->self, t->board) == 0)
		role = t->self.role;
	for (;;)
		switch (role) {
		case ROLE_MOLD:
			role = mold_run(&t->self);
			break;
		case ROLE_WORKER:
			role = worker_run(&t->self);
			break;
		case ROLE_EXIT:
			return leave(&t->self);
		}
}
