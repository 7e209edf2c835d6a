/* self.c - a process becomes a worker or a candidate; its title. */
#include "worker/self.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/fd.h"
#include "ipc/board.h"
#include "ipc/chan.h"
#include "ruby/vm.h"

/* The parent's channel is closed here, so that its EOF means its own end. */
static int
channel_replace(struct self *self, int take_fd)
{
	chan_close(self->master);
	self->master = chan_open(take_fd, RFK_MASTER);
	return self->master != NULL ? 0 : -ENOMEM;
}

/* EPERM: it leads a session, and so a group, already. */
void
self_group(const struct self *self)
{
	if (self->settings.setpgid)
		(void)setpgid(0, 0);
}

int
self_newborn(struct self *self, const struct rfk_fork *fork, int take_fd)
{
	int rc = take_fd >= 0 ? channel_replace(self, take_fd) : 0;

	if (rc < 0)
		return rc;
	if (fork->row >= RFK_BOARD_ROWS || self->board == NULL)
		return -EPROTO;
	self_group(self);
	self->role = ROLE_WORKER;
	self->npooled = self->nlisteners;
	self->generation = fork->generation;
	self->slot = fork->slot;
	self->is_service = fork->service != 0;
	self->row = fork->row;
	self->token = fork->token;
	self->born_us = clock_us();
	self->my_row = &self->board->row[fork->row];
	self->exit_status = 0;
	self->run_at_exit = false;
	fault_generation_set(self->generation);
	board_row_born(
	    self->my_row, self->generation, getpid(), self->inherited);
	return 0;
}

int
self_candidate(
    struct self *self, const struct rfk_promote *promote, int take_fd)
{
	int rc = channel_replace(self, take_fd);

	if (rc < 0)
		return rc;
	if (self->my_row != NULL)
		self->inherited += atomic_load_explicit(
		    &self->my_row->requests, memory_order_relaxed);
	self_group(self);
	self->role = ROLE_MOLD;
	/* Of the worker that it was. */
	while (self->nlisteners > self->npooled)
		fd_close(&self->listeners[--self->nlisteners]);
	self->generation = promote->generation;
	self->token = promote->token;
	self->born_us = clock_us();
	self->my_row = NULL;
	self->booted = true;
	self->exit_status = 0;
	self->run_at_exit = false;
	fault_generation_set(self->generation);
	return 0;
}

/* What pitchfork's processes call what they do; the service is idle as ours. */
static const char *
pitchfork_state(const struct self *self, const char *state)
{
	static const char *const names[][2] = {
		{ "idle", "waiting" },
		{ "booting", "init" },
		{ "preparing", "init" },
		{ "loading", "booting" },
		{ "draining", "exiting" },
	};
	size_t i;

	for (i = self->is_service; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(state, names[i][0]) == 0)
			return names[i][1];
	return state;
}

/* Said without a count of requests. */
static bool
is_stage(const char *state)
{
	return strcmp(state, "init") == 0 || strcmp(state, "exiting") == 0;
}

void
self_title(const struct self *self, const char *state, uint64_t requests)
{
	enum rfk_personality whose = self->settings.personality;
	unsigned long long n = requests;
	char title[512], other[160] = "";

	if (strcmp(self->pool, "default") != 0)
		snprintf(other, sizeof(other), "%s%s%s", self->pool,
		    self->key[0] != '\0' ? " " : "", self->key);
	if (whose == RFK_PITCHFORK)
		state = pitchfork_state(self, state);
	if (whose == RFK_UNICORN && self->role == ROLE_MOLD)
		snprintf(title, sizeof(title), "unicorn mold %s(gen %u: %s)",
		    self->arguments, self->generation, state);
	else if (whose == RFK_UNICORN)
		snprintf(title, sizeof(title),
		    "unicorn worker[%u] %s(gen %u: %s, %llu requests)",
		    self->slot, self->arguments, self->generation, state, n);
	else if (whose == RFK_PITCHFORK && self->role == ROLE_MOLD)
		snprintf(title, sizeof(title), "pitchfork (gen:%u) mold - %s",
		    self->generation, state);
	else if (self->is_service)
		snprintf(title, sizeof(title), "%s (gen:%u) service - %s",
		    whose == RFK_PITCHFORK ? "pitchfork" : "reforkd",
		    self->generation,
		    strcmp(state, "idle") == 0 ? "ready" : state);
	else if (whose == RFK_PITCHFORK && is_stage(state))
		snprintf(title, sizeof(title),
		    "pitchfork (gen:%u) worker[%u] - %s", self->generation,
		    self->slot, state);
	else if (whose == RFK_PITCHFORK)
		snprintf(title, sizeof(title),
		    "pitchfork (gen:%u) worker[%u] - requests: %llu, %s",
		    self->generation, self->slot, n, state);
	else if (self->role == ROLE_MOLD)
		snprintf(title, sizeof(title), "reforkd mold %s%sgen %u: %s",
		    other, other[0] != '\0' ? " " : "", self->generation,
		    state);
	else if (self->settings.kind == RFK_KIND_RUN)
		snprintf(title, sizeof(title),
		    "reforkd run %s %u gen %u: %s, %llu done", self->pool,
		    self->slot, self->generation, state, n);
	else if (other[0] != '\0')
		snprintf(title, sizeof(title),
		    "reforkd worker %u of %s gen %u: %s, %llu requests",
		    self->slot, other, self->generation, state, n);
	else
		snprintf(title, sizeof(title),
		    "reforkd worker %u gen %u: %s, %llu requests", self->slot,
		    self->generation, state, n);
	vm_title(title);
}
