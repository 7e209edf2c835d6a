/*
 * promote.c - a donor forks the next mold, between two units of work.
 *
 * It forks twice: the middle process forks the candidate, tells the master of
 * it on the donor's channel and leaves, so that the candidate is the master's
 * own child and application code in the donor that waits for its children
 * never meets it. The donor waits for the middle by its number only.
 */
#include "worker/worker.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/pidfd.h"
#include "ipc/board.h"
#include "ipc/chan.h"
#include "ruby/gclog.h"
#include "ruby/hooks.h"
#include "ruby/threads.h"
#include "ruby/try.h"
#include "ruby/vm.h"

#define OURS_MAX 1024

void
promote_refuse(
    struct worker *w, const struct rfk_promote *order, const char *text)
{
	struct rfk_msg msg = { .type = RFK_MSG_REFUSED,
		.tail = text,
		.tail_len = (uint32_t)strlen(text) };

	msg.u.promote = *order;
	atomic_store_explicit(
	    &w->self->my_row->unsafe, 1, memory_order_relaxed);
	/* The master says it, once for each reason. */
	log_debug("worker=%u gen=%u is not promoted: %s", w->self->slot,
	    w->self->generation, text);
	(void)chan_put(w->self->master, &msg, NULL, 0);
}

/* Everything queued goes out first: the middle has a copy of the queue. */
static int
channel_empty(struct chan *c, uint64_t until_ms)
{
	while (chan_pending(c)) {
		struct pollfd pfd = { .fd = chan_fd(c), .events = POLLOUT };
		int rc = chan_flush(c);

		if (rc == 0)
			break;
		if (rc != -EAGAIN)
			return rc;
		if (clock_ms() >= until_ms)
			return -ETIMEDOUT;
		(void)poll(&pfd, 1, 100);
	}
	return 0;
}

/* In the middle. The candidate returns 0 with its channel's end, no one else.
 */
static int
middle_run(struct worker *w, const struct rfk_promote *order)
{
	struct rfk_msg msg = { .type = RFK_MSG_PROMOTED };
	struct ruby_error why;
	int pair[2], fds[2];
	pid_t pid;

	fault_at("promote_middle");
	if (chan_pair(pair) < 0)
		_exit(3);
	pid = vm_fork(&why);
	if (pid == 0) {
		fd_close(&pair[0]);
		return pair[1];
	}
	if (pid < 0) {
		ruby_error_log("promotion: fork", &why);
		_exit(3);
	}
	fds[0] = pidfd_open_pid(pid);
	fds[1] = pair[0];
	if (fds[0] < 0) {
		(void)kill(pid, SIGKILL);
		_exit(3);
	}
	msg.u.promoted.token = order->token;
	msg.u.promoted.generation = order->generation;
	msg.u.promoted.pid = pid;
	fault_at("before_promoted");
	if (chan_put(w->self->master, &msg, fds, 2) < 0 ||
	    channel_empty(w->self->master, clock_ms() + 5000) < 0) {
		(void)kill(pid, SIGKILL);
		_exit(4);
	}
	_exit(0);
}

/* 0, or the reason in text. A middle that hangs in a fork hook is ended. */
static int
middle_reap(pid_t middle, uint64_t limit_ms, char *text, size_t size)
{
	int fd = pidfd_open_pid(middle);
	uint64_t until_ms = clock_ms() + limit_ms;
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	int status = 0;
	pid_t got;

	while (fd >= 0 && clock_ms() < until_ms && poll(&pfd, 1, 100) <= 0)
		;
	if (fd >= 0 && clock_ms() >= until_ms)
		(void)pidfd_signal(fd, SIGKILL);
	fd_close(&fd);
	do
		got = waitpid(middle, &status, 0);
	while (got < 0 && errno == EINTR);
	/* ECHILD: SIGCHLD is ignored here; the master knows how it went. */
	if (got < 0 || status == 0)
		return 0;
	if (WIFSIGNALED(status))
		snprintf(text, size, "the process between died of signal %d",
		    WTERMSIG(status));
	else
		snprintf(text, size, "the process between left with %d",
		    WEXITSTATUS(status));
	return -ECHILD;
}

/* Nothing of the donor's clients lives on here. */
static bool
candidate_begin(struct worker *w, const struct rfk_promote *order, int take_fd)
{
	int rc;

	watchman_forget();
	gclog_forget();
	w->kind->forked(w);
	loop_fini(&w->loop);
	signals_release();
	hooks_listeners_drop();
	rc = self_candidate(w->self, order, take_fd);
	if (rc < 0) {
		log_error("promotion: %s", strerror(-rc));
		_exit(1);
	}
	w->is_candidate = true;
	fault_at("candidate_born");
	return true;
}

static bool
sockets_allow(struct worker *w, char *text, size_t size)
{
	int ours[OURS_MAX];
	size_t n = w->kind->descriptors(w, ours, OURS_MAX - 1);
	char peers[1024];

	ours[n++] = chan_fd(w->self->master);
	if (threads_shared_sockets(ours, n, peers, sizeof(peers)) <= 0)
		return true;
	snprintf(text, size,
	    "connected sockets are still open after before_fork: %s", peers);
	if (w->self->settings.shared_sockets_allow == 0)
		return false;
	log_warn("worker=%u: %s", w->self->slot, text);
	return true;
}

/* One that raises refuses the promotion. */
static bool
hook_passes(struct worker *w, enum hook hook, char *text, size_t size)
{
	struct ruby_error why;

	if (hooks_run(hook, w->self, &why) == 0)
		return true;
	ruby_error_log(hooks_name(hook), &why);
	snprintf(text, size, "%s: %.500s (%.100s)", hooks_name(hook),
	    why.message, why.class_name);
	return false;
}

/* false = refused, with the reason; the donor's hooks have run then. */
static bool
prepare(struct worker *w, char *text, size_t size)
{
	/* First of all: it may end threads, or say no. */
	if (!hook_passes(w, HOOK_BEFORE_PROMOTION, text, size) ||
	    !threads_fork_safe(text, size))
		return false;
	if (text[0] != '\0')
		log_info("worker=%u: threads that do not come along: %s",
		    w->self->slot, text);
	if (!hook_passes(w, HOOK_BEFORE_FORK, text, size) ||
	    !sockets_allow(w, text, size))
		return false;
	if (channel_empty(w->self->master, clock_ms() + 5000) < 0) {
		snprintf(text, size, "the master does not read its channel");
		return false;
	}
	return true;
}

/*
 * Whatever became of it: what before_promotion has ended begins again. In
 * unicorn's files before_fork and after_fork are a pair, too.
 */
static void
donor_resume(struct worker *w)
{
	struct ruby_error why;

	if (w->self->settings.personality == RFK_UNICORN &&
	    hooks_run(HOOK_AFTER_FORK, w->self, &why) < 0)
		ruby_error_log("after_fork", &why);
	if (hooks_run(HOOK_AFTER_PROMOTION, w->self, &why) < 0)
		ruby_error_log("after_promotion", &why);
}

bool
promote(struct worker *w, const struct rfk_promote *order)
{
	uint64_t limit_ms = (uint64_t)w->self->settings.spawn_timeout;
	struct ruby_error why;
	char text[2048];
	pid_t middle;
	int fd;
	bool ok;

	board_row_beat(w->self->my_row, RFK_WORK_HOOK, clock_ms());
	fault_at("promote");
	ok = prepare(w, text, sizeof(text));
	atomic_store_explicit(
	    &w->self->my_row->unsafe, !ok, memory_order_relaxed);
	if (!ok) {
		promote_refuse(w, order, text);
		donor_resume(w);
		return false;
	}
	middle = vm_fork(&why);
	if (middle == 0) {
		fd = middle_run(w, order);
		return candidate_begin(w, order, fd);
	}
	if (middle < 0) {
		ruby_error_log("promotion: fork", &why);
		promote_refuse(w, order, "the fork failed");
	} else if (middle_reap(middle, limit_ms, text, sizeof(text)) < 0) {
		promote_refuse(w, order, text);
	}
	donor_resume(w);
	return false;
}
