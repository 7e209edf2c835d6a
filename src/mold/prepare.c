/*
 * A mold's last steps before READY. A candidate, which was a worker, must show
 * that it may be forked from; a mold that was booted sends its state.
 */
#include "mold/prepare.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "ipc/chan.h"
#include "mold/boot.h"
#include "mold/state.h"
#include "ruby/hooks.h"
#include "ruby/life.h"
#include "ruby/threads.h"
#include "ruby/try.h"
#include "ruby/warm.h"
#include "worker/collect.h"
#include "worker/self.h"

static bool
refused(struct self *self)
{
	struct rfk_msg msg = { .type = RFK_MSG_REFUSED };
	char text[2048];

	if (threads_fork_safe(text, sizeof(text))) {
		if (text[0] != '\0')
			log_info("mold gen=%u: threads that stay behind: %s",
			    self->generation, text);
		return false;
	}
	msg.u.promote.token = self->token;
	msg.u.promote.generation = self->generation;
	msg.tail = text;
	msg.tail_len = (uint32_t)strlen(text);
	(void)chan_put(self->master, &msg, NULL, 0);
	log_error("mold gen=%u: not fork-safe: %s", self->generation, text);
	self->exit_status = 1;
	return true;
}

/*
 * A candidate's parent is the process between, until that has left. Only then
 * would the death signal be the master's; the channel's EOF says the same.
 */
static void
tie_to_master(const struct self *self, uint64_t limit_ms)
{
	uint64_t until_ms = clock_ms() + limit_ms;
	struct pollfd pfd = { .fd = chan_fd(self->master) };

	while (getppid() != self->master_pid && clock_ms() < until_ms)
		if (poll(&pfd, 1, 1) > 0)
			return; /* nobody to be tied to */
	if (getppid() == self->master_pid)
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
}

int
prepare(struct self *self)
{
	struct rfk_msg msg = { .type = RFK_MSG_READY };
	bool is_candidate = self->token != 0;
	struct ruby_error why;

	self_title(self, "preparing", 0);
	if (is_candidate)
		tie_to_master(self, 100);
	if (hooks_run(HOOK_AFTER_MOLD_FORK, self, &why) < 0)
		return boot_failed(self, "after_mold_fork", &why);
	if (is_candidate && refused(self))
		return -ECANCELED;
	(void)collect_open(&self->settings);
	/* A candidate's are a worker's; the mold's come with the answer. */
	if (!is_candidate)
		state_send(self);
	if (self->settings.heap_preparation != 0)
		(void)warm_heap(self->settings.compact != 0, self->generation);
	if (!is_candidate)
		life_preload();
	if (is_candidate) {
		tie_to_master(self, 2000);
		fault_at("candidate_ready");
	}
	msg.u.ready.generation = self->generation;
	msg.u.ready.pid = getpid();
	msg.u.ready.took_us = clock_us() - self->born_us;
	return chan_put(self->master, &msg, NULL, 0);
}
