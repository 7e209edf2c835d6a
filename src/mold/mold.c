#include "mold/mold.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/pidfd.h"
#include "ipc/chan.h"
#include "mold/behalf.h"
#include "mold/hatch.h"
#include "mold/prepare.h"
#include "mold/state.h"
#include "mold/wake.h"
#include "ruby/reopen.h"
#include "ruby/try.h"
#include "ruby/vm.h"
#include "worker/inquire.h"
#include "worker/self.h"

/* The poll set: the channel, the eventfd, then the children in their order. */
#define FD_CHANNEL 0
#define FD_WAKE 1
#define FD_CHILDREN 2
/* SIGCHLD is Ruby's (3.1 waits by it), so what callbacks spawned is looked for.
 */
#define STRAYS_EVERY_MS 5000

int
mold_reserve(struct mold *m)
{
	size_t room = m->room != 0 ? 2 * m->room : 16;
	struct mold_child *children;
	struct pollfd *fds;

	if (m->nchildren < m->room)
		return 0;
	children = realloc(m->children, room * sizeof(*children));
	if (children == NULL)
		return -ENOMEM;
	m->children = children;
	fds = realloc(m->fds, (room + FD_CHILDREN) * sizeof(*fds));
	if (fds == NULL)
		return -ENOMEM;
	m->fds = fds;
	m->room = room;
	return 0;
}

int
mold_child_add(struct mold *m, int take_pidfd, pid_t pid, uint64_t token)
{
	int rc = mold_reserve(m);

	if (rc < 0) {
		fd_close(&take_pidfd);
		return rc;
	}
	m->children[m->nchildren++] = (struct mold_child){
		.pidfd = take_pidfd, .pid = pid, .token = token
	};
	return 0;
}

void
mold_fini(struct mold *m)
{
	size_t i;

	for (i = 0; i < m->nchildren; i++)
		fd_close(&m->children[i].pidfd);
	free(m->children);
	free(m->fds);
	m->children = NULL;
	m->fds = NULL;
	m->nchildren = m->room = 0;
	wake_close();
}

/*
 * Waited for with WNOWAIT, reported, then reaped: if this process dies in
 * between, the zombie becomes the master's and can still be asked.
 */
static int
child_look(struct mold *m, struct mold_child *child)
{
	struct rfk_msg msg = { .type = RFK_MSG_DIED };
	struct pidfd_exit exit = { 0 };
	int rc = child->reported ? 0 : pidfd_peek(child->pidfd, &exit);

	if (rc == 0)
		return 0;
	/* The application reaped it, with Process.wait or an ignored CHLD. */
	if (rc < 0)
		(void)pidfd_status(child->pidfd, &exit);
	msg.u.died.token = child->token;
	msg.u.died.pid = child->pid;
	msg.u.died.code = exit.code;
	msg.u.died.status = exit.status;
	child->reported = true;
	fault_at("mold_before_died");
	return chan_put(m->self->master, &msg, NULL, 0);
}

static void
children_reap(struct mold *m)
{
	size_t i, kept = 0;

	if (chan_pending(m->self->master))
		return;
	for (i = 0; i < m->nchildren; i++) {
		if (m->children[i].reported) {
			(void)pidfd_reap(m->children[i].pidfd);
			fd_close(&m->children[i].pidfd);
			continue;
		}
		m->children[kept++] = m->children[i];
	}
	m->nchildren = kept;
}

static bool
is_worker(const struct mold *m, pid_t pid)
{
	size_t i;

	for (i = 0; i < m->nchildren; i++)
		if (m->children[i].pid == pid)
			return true;
	return false;
}

/*
 * A child that is no worker and that nobody waits for: what a callback spawned.
 * Left alone until the next look, for a Process.detach of the application's.
 */
static void
strays_reap(struct mold *m)
{
	uint64_t now_ms = clock_ms();
	siginfo_t si = { .si_pid = 0 };

	if (now_ms - m->strays_ms < STRAYS_EVERY_MS)
		return;
	m->strays_ms = now_ms;
	if (waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT) < 0 ||
	    si.si_pid == 0 || is_worker(m, si.si_pid))
		return;
	if (si.si_pid == m->stray &&
	    waitid(P_PID, (id_t)si.si_pid, &si, WEXITED | WNOHANG) == 0) {
		log_info("reaped unknown subprocess pid=%d", (int)m->stray);
		m->stray = 0;
		m->strays_ms = 0; /* there may be more */
		return;
	}
	m->stray = si.si_pid;
}

static void *
poll_raw(void *p)
{
	struct mold *m = p;

	(void)poll(
	    m->fds, (nfds_t)(FD_CHILDREN + m->nchildren), STRAYS_EVERY_MS);
	return NULL;
}

/* -errno when the master has gone. */
static int
wait_for_something(struct mold *m)
{
	bool pending = chan_pending(m->self->master);
	size_t i;

	m->fds[FD_CHANNEL].fd = chan_fd(m->self->master);
	m->fds[FD_CHANNEL].events = (short)(POLLIN | (pending ? POLLOUT : 0));
	m->fds[FD_CHANNEL].revents = 0;
	m->fds[FD_WAKE] = (struct pollfd){ .fd = m->wake, .events = POLLIN };
	for (i = 0; i < m->nchildren; i++)
		m->fds[FD_CHILDREN + i] = (struct pollfd){
			/* A dead one that is reported stays readable. */
			.fd =
			    m->children[i].reported ? -1 : m->children[i].pidfd,
			.events = POLLIN
		};
	vm_without_gvl(poll_raw, m);
	if (pending) {
		int rc = chan_flush(m->self->master);

		if (rc < 0 && rc != -EAGAIN)
			return rc;
	}
	for (i = 0; i < m->nchildren; i++)
		if (m->fds[FD_CHILDREN + i].revents != 0) {
			int rc = child_look(m, &m->children[i]);

			if (rc < 0)
				return rc;
		}
	children_reap(m);
	strays_reap(m);
	return 0;
}

static enum role
stop(struct mold *m, bool run_at_exit)
{
	uint64_t until_ms = clock_ms() + 1000;

	/* What died last is worth a moment's waiting. */
	while (chan_pending(m->self->master) &&
	       chan_flush(m->self->master) == -EAGAIN && clock_ms() < until_ms)
		(void)poll(NULL, 0, 5);
	m->self->exit_status = 0;
	m->self->run_at_exit = run_at_exit;
	return ROLE_EXIT;
}

/* Leaves at once: nobody is there to tell, and the workers look after
 * themselves. */
static enum role
master_gone(struct mold *m, int rc)
{
	if (rc == -EPROTO)
		log_error("mold gen=%u: the master broke the protocol",
		    m->self->generation);
	m->self->exit_status = 1;
	m->self->run_at_exit = false;
	return ROLE_EXIT;
}

/* A full stop: the workers' copies shall be the last ones that are open. */
static void
drop_listeners(struct self *self)
{
	size_t i;

	for (i = 0; i < self->nlisteners; i++)
		fd_close(&self->listeners[i]);
	self->nlisteners = 0;
}

static enum role
message_take(struct mold *m, const struct rfk_msg *msg)
{
	switch (msg->type) {
	case RFK_MSG_FORK:
		return hatch(m, &msg->u.fork);
	case RFK_MSG_STOP:
		return stop(m, msg->u.stop.run_at_exit != 0);
	case RFK_MSG_REOPEN:
		log_info("mold gen=%u: %d log files reopened",
		    m->self->generation, reopen_logs());
		return ROLE_MOLD;
	case RFK_MSG_CONFIGURED:
		drop_listeners(m->self);
		return ROLE_MOLD;
	case RFK_MSG_ASK:
		inquire(m->self, &msg->u.ask, NULL);
		return ROLE_MOLD;
	case RFK_MSG_STATE:
		return ROLE_MOLD; /* taken with its descriptor */
	case RFK_MSG_HOOK:
		return behalf_run(m->self, msg) == 0 ? ROLE_MOLD : ROLE_EXIT;
	default:
		log_warn("mold gen=%u: a message that is not for a mold",
		    m->self->generation);
		return ROLE_MOLD;
	}
}

/* Trap handlers, exceptions that other threads sent to this one. */
static enum role
interrupts_take(struct mold *m)
{
	struct ruby_error why;

	if (vm_check_interrupts(&why) == 0)
		return ROLE_MOLD;
	if (why.is_exit || why.is_signal) {
		log_info("mold gen=%u: %s, leaving", m->self->generation,
		    why.is_exit ? "exit was called" : strsignal(why.status));
		return stop(m, false);
	}
	ruby_error_log("in the mold's main thread", &why);
	return ROLE_MOLD;
}

static enum role
serve(struct mold *m)
{
	enum role next = ROLE_MOLD;
	int fds[RFK_FDS_MAX];

	while (next == ROLE_MOLD) {
		struct rfk_msg msg;
		int nfds = 0;
		int rc = chan_get(m->self->master, &msg, fds, &nfds);

		if (rc == 1 && msg.type == RFK_MSG_STATE)
			state_take(m->self, fds[0]);
		while (nfds > 0)
			fd_close(&fds[--nfds]);
		if (rc < 0)
			return master_gone(m, rc);
		if (rc == 1) {
			next = message_take(m, &msg);
			continue;
		}
		rc = wait_for_something(m);
		if (rc < 0)
			return master_gone(m, rc);
		if (wake_is_term())
			return stop(m, false);
		next = interrupts_take(m);
	}
	return next;
}

enum role
mold_run(struct self *self)
{
	struct mold m = { .self = self };
	enum role next = ROLE_EXIT;
	int rc;

	(void)prctl(PR_SET_NAME, "reforkd-mold");
	self->role = ROLE_MOLD;
	fault_at(self->token != 0 ? "candidate_started" : "mold_loaded");
	m.wake = wake_open();
	rc = m.wake < 0 ? m.wake : mold_reserve(&m);
	if (rc < 0) {
		log_error("mold gen=%u: %s", self->generation, strerror(-rc));
		self->exit_status = 1;
	} else {
		wake_claim();
		if (prepare(self) == 0) {
			self_title(self, "ready", 0);
			next = serve(&m);
		}
	}
	if (next != ROLE_WORKER)
		mold_fini(&m); /* a newborn has done it */
	return next;
}
