#include "mold/boot.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <reforkd/version.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/fd.h"
#include "base/log.h"
#include "ipc/chan.h"
#include "mold/config.h"
#include "mold/wake.h"
#include "ruby/try.h"
#include "ruby/vm.h"
#include "worker/self.h"

/* Left by an image of this program that started itself again: its START. */
#define AGAIN_ENV "REFORKD_AGAIN"

struct start {
	struct rfk_start head;
	struct buf tail;
	bool is_again;
};

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
	if (chan_put(self->master, &msg, NULL, 0) < 0)
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
		snprintf(text, sizeof(text), "%s: %.*s (%s) at %s", what,
		    (int)strcspn(why->message, "\n"), why->message,
		    why->class_name, why->where);
	if (!why->is_exit && !why->is_signal)
		ruby_error_log(what, why);
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

/* Of the image before this one: the memfd holds the message as it came. */
static int
start_again(struct start *start)
{
	const char *text = getenv(AGAIN_ENV);
	char block[4096];
	ssize_t n;
	int fd, rc;

	if (text == NULL)
		return -ENOENT;
	fd = (int)strtol(text, NULL, 10);
	unsetenv(AGAIN_ENV);
	start->is_again = true;
	rc = -EPROTO;
	if (lseek(fd, 0, SEEK_SET) == 0 &&
	    read(fd, &start->head, sizeof(start->head)) ==
		(ssize_t)sizeof(start->head))
		rc = 0;
	while (rc == 0 && (n = read(fd, block, sizeof(block))) > 0)
		rc = buf_put(&start->tail, block, (size_t)n);
	fd_close(&fd);
	return rc;
}

static int
start_get(struct self *self, struct start *start)
{
	struct rfk_msg msg;
	int fds[RFK_FDS_MAX];
	int nfds = 0;
	int rc = start_again(start);

	if (rc == -ENOENT) {
		rc = await(self, RFK_MSG_START, &msg, fds, &nfds);
		if (rc <= 0)
			return rc < 0 ? rc : -ECANCELED;
		start->head = msg.u.start;
		rc = buf_put(&start->tail, msg.tail, msg.tail_len);
	}
	if (rc < 0)
		return rc;
	if (start->head.protocol != RFK_PROTOCOL)
		return boot_failed_text(self, true,
		    "reforkd and reforkd-mold are of different versions "
		    "(install both again)");
	self->generation = start->head.generation;
	self->master_pid = start->head.master_pid;
	fault_generation_set(self->generation);
	return 0;
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

static char **
cmdline_read(char *bytes, size_t cap, char **argv, size_t max)
{
	int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	size_t used = 0;
	size_t n = 0;
	ssize_t got;
	char *p;

	while (fd >= 0 && used < cap - 1 &&
	       (got = read(fd, bytes + used, cap - 1 - used)) > 0)
		used += (size_t)got;
	fd_close(&fd);
	bytes[used] = '\0';
	for (p = bytes; p < bytes + used && n < max - 1; p += strlen(p) + 1)
		argv[n++] = p;
	argv[n] = NULL;
	return n > 0 ? argv : NULL;
}

/*
 * Ruby 3.1 and 3.2 can turn YJIT on only as they start: this program execs
 * itself once more, and takes START along in a memfd. Returns when it cannot.
 */
static void
exec_with_yjit(struct self *self, const struct start *start, int board)
{
	static char bytes[131072];
	static char *argv[1024];
	char number[64];
	int fd = memfd_create("reforkd-start", 0);

	if (fd < 0 || fd_write_all(fd, &start->head, sizeof(start->head)) < 0 ||
	    fd_write_all(fd, start->tail.data, start->tail.len) < 0 ||
	    cmdline_read(bytes, sizeof(bytes), argv, 1024) == NULL) {
		fd_close(&fd);
		return;
	}
	snprintf(number, sizeof(number), "%d", fd);
	setenv(AGAIN_ENV, number, 1);
	snprintf(number, sizeof(number), "%d,%d", chan_fd(self->master), board);
	setenv("REFORKD_MOLD", number, 1);
	setenv("RUBY_YJIT_ENABLE", "1", 1);
	fd_cloexec(chan_fd(self->master), false);
	fd_cloexec(board, false);
	execv("/proc/self/exe", argv);
	log_warn("yjit: starting again failed: %s", strerror(errno));
	unsetenv("REFORKD_MOLD");
	unsetenv(AGAIN_ENV);
	fd_cloexec(chan_fd(self->master), true);
	fd_cloexec(board, true);
	fd_close(&fd);
}

static int
app_load(struct self *self)
{
	struct ruby_error why;

	if (config_outputs_reopen(&why) < 0)
		return boot_failed(self, "opening the log files", &why);
	self_title(self, "loading", 0);
	fault_at("mold_booting");
	if (config_app_load(&why) < 0)
		return boot_failed(self, "loading the application", &why);
	if (self->settings.yjit != 0 && vm_yjit_enable() < 0)
		log_warn("yjit is on in the file, but this Ruby has none");
	self->booted = true;
	return 0;
}

static int
file_evaluate(struct self *self, const struct start *start, int board)
{
	struct ruby_error why;
	struct buf block = BUF_INIT;
	int rc;

	if (config_evaluate(start->tail.data, start->tail.len, &why) < 0)
		return boot_failed(self, "the configuration", &why);
	rc = settings_make(self, &block);
	/* 3.3 and later turn it on when the application is loaded. */
	if (rc == 0 && self->settings.yjit != 0 && !start->is_again &&
	    vm_yjit_at_start_only())
		exec_with_yjit(self, start, board);
	if (rc == 0) {
		config_notes_log();
		rc = settings_send(self, &block);
	}
	buf_fini(&block);
	return rc;
}

int
boot_run(struct self *self, int board)
{
	struct start start = { .tail = BUF_INIT };
	struct ruby_error why;
	int rc;

	self->exit_status = 1;
	if (config_define(&why) < 0)
		return boot_failed(self, "reforkd's own Ruby", &why);
	wake_claim();
	rc = start_get(self, &start);
	if (rc == 0 && start_has(&start, "debug"))
		log_level_set(LOG_LV_DEBUG);
	if (rc == 0)
		rc = file_evaluate(self, &start, board);
	if (rc == 0 && start_has(&start, "check")) {
		self->exit_status = 0;
		self->run_at_exit = true;
		rc = -ECANCELED;
	} else if (rc == 0) {
		rc = configured_get(self);
		if (rc == 0)
			rc = app_load(self);
	}
	buf_fini(&start.tail);
	return rc;
}
