#include "mold/boot.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <reforkd/version.h>

#include "base/buf.h"
#include "base/environ.h"
#include "base/fault.h"
#include "base/fd.h"
#include "base/log.h"
#include "ipc/allocator.h"
#include "ipc/chan.h"
#include "mold/again.h"
#include "mold/config.h"
#include "mold/front.h"
#include "mold/reserve.h"
#include "mold/state.h"
#include "mold/view.h"
#include "mold/wake.h"
#include "ruby/hooks.h"
#include "ruby/try.h"
#include "ruby/vm.h"
#include "worker/extend.h"
#include "worker/self.h"

int
boot_failed_text(struct self *self, bool is_config, const char *text)
{
	struct rfk_msg msg = { .type = RFK_MSG_FAILED,
		.tail = text,
		.tail_len = (uint32_t)strlen(text) };

	msg.u.failed.exit_status = 1;
	msg.u.failed.is_config = is_config ? 1 : 0;
	self->exit_status = 1;
	/* A candidate is a copy of a worker: the handlers are not its own. */
	self->run_at_exit = self->token == 0;
	if (chan_put(self->master, &msg, NULL, 0) < 0 && is_config)
		log_error("%s", text);
	return -ECANCELED;
}

int
boot_failed(struct self *self, const char *what, const struct ruby_error *why)
{
	char text[sizeof(why->message) + sizeof(why->class_name) +
		  sizeof(why->where) + 128];

	if (config_is_mistake(why))
		return boot_failed_text(self, true, why->message);
	if (why->is_exit)
		snprintf(text, sizeof(text), "%s: exit(%d) was called at %s",
		    what, why->status, why->where);
	else if (why->is_signal)
		snprintf(
		    text, sizeof(text), "%s: %s", what, strsignal(why->status));
	else
		snprintf(text, sizeof(text), "%s: %.*s (%s)%s%s", what,
		    (int)strcspn(why->message, "\n"), why->message,
		    why->class_name, why->where[0] != '\0' ? " at " : "",
		    why->where);
	if (why->is_exit || why->is_signal)
		log_error("%s", text);
	else
		ruby_error_log_as(text, why);
	return boot_failed_text(self, false, text);
}

/* A name in the tail of START, whatever its value. */
static bool
start_has(const struct start *start, const char *name)
{
	size_t len = strlen(name);
	const char *p = start->tail.data;
	const char *end = p + start->tail.len;

	for (; p < end; p += strnlen(p, (size_t)(end - p)) + 1)
		if ((size_t)(end - p) > len && memcmp(p, name, len) == 0 &&
		    p[len] == '=')
			return p[len + 1] != '0' && p[len + 1] != '\0';
	return false;
}

/* The first value of a name in the tail of START; else out stays. */
static void
start_text(const struct start *start, const char *name, char *out, size_t size)
{
	size_t len = strlen(name);
	const char *p = start->tail.data;
	const char *end = p + start->tail.len;

	for (; p < end; p += strnlen(p, (size_t)(end - p)) + 1)
		if (strncmp(p, name, len) == 0 && p[len] == '=') {
			snprintf(out, size, "%s", p + len + 1);
			return;
		}
}

static void *
wait_for_channel(void *p)
{
	struct pollfd pfd = { .fd = *(int *)p, .events = POLLIN };

	(void)poll(&pfd, 1, 1000);
	return NULL;
}

/*
 * The next message of that type: 1; 0 = STOP; -errno.
 * Other Ruby threads, started by the file, run meanwhile.
 */
static int
await(struct self *self, enum rfk_type type, struct rfk_msg *msg, int *give_fds,
    int *nfds)
{
	int fd = chan_fd(self->master);

	for (;;) {
		struct ruby_error why;
		int rc = chan_get(self->master, msg, give_fds, nfds);

		if (rc < 0)
			return rc;
		if (rc == 1 && msg->type == type)
			return 1;
		while (rc == 1 && *nfds > 0)
			fd_close(&give_fds[--*nfds]);
		if (rc == 1 && msg->type == RFK_MSG_STOP) {
			self->exit_status = 0;
			return 0;
		}
		if (rc == 1)
			continue;
		vm_without_gvl(wait_for_channel, &fd);
		if (vm_check_interrupts(&why) < 0)
			return boot_failed(
			    self, "waiting for the master", &why);
	}
}

/* "-D -c unicorn.rb ", as titles show it. */
static void
arguments_keep(struct self *self, const struct start *start)
{
	const char *p = start->tail.data;
	const char *end = p + start->tail.len;
	size_t len = 0;

	for (; p < end; p += strnlen(p, (size_t)(end - p)) + 1)
		if (strncmp(p, "arg=", 4) == 0 &&
		    len + strlen(p + 4) + 2 < sizeof(self->arguments))
			len += (size_t)snprintf(self->arguments + len,
			    sizeof(self->arguments) - len, "%s ", p + 4);
}

/* "/home/me/shop 9f3c", whatever bytes a client has sent. */
static void
key_keep(struct self *self, const struct start *start)
{
	const char *p = start->tail.data;
	const char *end = p + start->tail.len;
	const char *value;
	size_t len = 0;

	for (; p < end; p += strnlen(p, (size_t)(end - p)) + 1) {
		value = strncmp(p, "key=", 4) == 0 ? strchr(p + 4, '=') : NULL;
		if (value == NULL || len + 2 >= sizeof(self->key))
			continue;
		if (len > 0)
			self->key[len++] = ' ';
		while (*++value != '\0' && len + 1 < sizeof(self->key))
			self->key[len++] =
			    *value > ' ' && *value < 0x7f ? *value : '?';
	}
}

static int
start_get(struct self *self, struct start *start)
{
	struct rfk_msg msg;
	int fds[RFK_FDS_MAX];
	int nfds = 0;
	int rc = again_start(start);

	if (rc == -ENOENT) {
		rc = await(self, RFK_MSG_START, &msg, fds, &nfds);
		if (rc <= 0)
			return rc < 0 ? rc : -ECANCELED;
		start->state = nfds > 0 ? fds[0] : -1;
		start->head = msg.u.start;
		rc = buf_put(&start->tail, msg.tail, msg.tail_len);
	}
	if (rc < 0)
		return rc;
	if (start->head.protocol != RFK_PROTOCOL)
		return boot_failed_text(self, true,
		    "reforkd and reforkd-mold are of different versions "
		    "(install both again)");
	arguments_keep(self, start);
	start_text(start, "pool", self->pool, sizeof(self->pool));
	start_text(start, "instance", self->pool, sizeof(self->pool));
	key_keep(self, start);
	self->generation = start->head.generation;
	self->master_pid = start->head.master_pid;
	fault_generation_set(self->generation);
	rc = again_is_worker(self, start);
	return rc < 0 ? rc : 0;
}

/* What the file decided, for the master and, decoded as it will, for us. */
static int
settings_make(struct self *self, struct buf *block)
{
	struct ruby_error why;
	char complaint[256] = "";
	int rc = config_settings(block, &self->settings.personality, &why);

	if (rc == -ECANCELED)
		return boot_failed(self, "the settings", &why);
	if (rc == 0)
		rc = settings_decode(&self->settings, block->data, block->len,
		    complaint, sizeof(complaint));
	if (rc == 0 && block->len > RFK_TAIL_MAX) {
		snprintf(complaint, sizeof(complaint),
		    "the settings are too long for one message");
		rc = -EMSGSIZE;
	}
	if (rc < 0)
		return boot_failed_text(self, true,
		    complaint[0] != '\0' ? complaint : strerror(-rc));
	if (self->settings.personality == RFK_PITCHFORK)
		log_progname_set("[Pitchfork]");
	return 0;
}

static int
settings_send(struct self *self, const struct buf *block)
{
	struct rfk_msg msg = { .type = RFK_MSG_SETTINGS,
		.tail = block->data,
		.tail_len = (uint32_t)block->len };

	msg.u.settings.protocol = RFK_PROTOCOL;
	msg.u.settings.personality = self->settings.personality;
	return chan_put(self->master, &msg, NULL, 0);
}

static int
configured_get(struct self *self)
{
	struct rfk_msg msg;
	int fds[RFK_FDS_MAX];
	int nfds = 0;
	int rc = await(self, RFK_MSG_CONFIGURED, &msg, fds, &nfds);
	int i;

	if (rc <= 0)
		return rc < 0 ? rc : -ECANCELED;
	for (i = 0; i < nfds; i++)
		self->listeners[i] = fds[i];
	self->nlisteners = (size_t)nfds;
	if (msg.u.configured.listeners != (uint32_t)nfds ||
	    self->nlisteners != self->settings.listens)
		return -EPROTO;
	return 0;
}

/* Whoever runs by itself finds its listeners as systemd hands them over. */
static void
listeners_place(struct self *self)
{
	int rc = 0;

	if (self->settings.kind == RFK_KIND_RUN)
		rc = reserve_use(self->listeners, self->nlisteners);
	reserve_end();
	if (rc < 0)
		log_warn("listen: no LISTEN_FDS for the run block, but "
			 "worker.listeners: descriptors from %d on: %s",
		    RESERVE_FIRST, strerror(-rc));
}

static int
app_load(struct self *self)
{
	struct ruby_error why;

	if (config_outputs_reopen(&why) < 0)
		return boot_failed(self, "opening the log files", &why);
	self_title(self, "loading", 0);
	fault_at("mold_booting");
	if (self->settings.preload_app != 0 && self->role == ROLE_MOLD &&
	    hooks_app_load(self, &why) < 0)
		return boot_failed(self, "loading the application", &why);
	if (self->settings.yjit != 0 && vm_yjit_enable() < 0)
		log_warn("yjit is on in the file, but this Ruby has none");
	self->booted = true;
	return 0;
}

/* worker_exec: the file is read anew for each worker, the mold has bound what
 * it said then. */
static int
listeners_match(struct self *self)
{
	if (self->nlisteners == self->settings.listens)
		return 0;
	return boot_failed_text(self, true,
	    "worker_exec: the file has other listeners than when it was loaded "
	    "(reload it: HUP)");
}

static int
file_evaluate(struct self *self, const struct start *start, int board)
{
	struct ruby_error why;
	struct buf block = BUF_INIT;
	struct buf state = BUF_INIT;
	int rc = state_read(start->state, &state);

	if (rc < 0)
		log_warn("the state of the last mold cannot be read: %s",
		    strerror(-rc));
	rc = config_evaluate(start->tail.data, start->tail.len, &state, &why);
	buf_fini(&state);
	if (rc < 0)
		return boot_failed(self, "the configuration", &why);
	rc = settings_make(self, &block);
	if (rc == 0 && !start_has(start, "check"))
		rc = front_start(self, start, board);
	if (rc == 0 && self->role == ROLE_WORKER)
		rc = listeners_match(self);
	else if (rc == 0) {
		if (self->settings.worker_exec != 0 &&
		    again_keep(start, board) < 0)
			log_warn("worker_exec: no memory for it");
		config_notes_log();
		if (self->settings.malloc_library[0] != '\0' &&
		    !start_has(start, "check") &&
		    !allocator_is_mapped(&self->settings))
			log_warn("malloc: %s is not mapped: the loader has "
				 "left it out",
			    self->settings.malloc_library);
		rc = settings_send(self, &block);
	}
	buf_fini(&block);
	return rc;
}

int
boot_run(struct self *self, int board)
{
	struct start start = { .tail = BUF_INIT, .state = -1 };
	struct ruby_error why;
	int rc;

	self->exit_status = 1;
	/* malloc and Ruby have read theirs: the rest is for the user's own. */
	if (environ_take_back() < 0)
		log_warn("no memory to put the environment back");
	if (view_define(self, &why) < 0 || extend_define(self, &why) < 0 ||
	    config_define(&why) < 0)
		return boot_failed(self, "reforkd's own Ruby", &why);
	wake_claim();
	rc = start_get(self, &start);
	if (rc == 0 && start_has(&start, "debug"))
		log_level_set(LOG_LV_DEBUG);
	if (rc == 0)
		rc = file_evaluate(self, &start, board);
	if (rc == 0)
		self_group(self);
	if (rc == 0 && start_has(&start, "check")) {
		self->exit_status = 0;
		self->run_at_exit = true;
		rc = -ECANCELED;
	} else if (rc == 0) {
		if (self->role == ROLE_MOLD)
			rc = configured_get(self);
		if (rc == 0) {
			listeners_place(self);
			rc = app_load(self);
		}
	}
	fd_close(&start.state);
	buf_fini(&start.tail);
	return rc;
}
