/*
 * again.c - one more start of this very program.
 */
#include "mold/again.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/environ.h"
#include "base/fd.h"
#include "base/log.h"
#include "ipc/allocator.h"
#include "ipc/chan.h"
#include "ipc/heap.h"
#include "mold/state.h"
#include "ruby/vm.h"
#include "worker/self.h"

/* Left by the image before: descriptors of memfds that hold START and STATE. */
#define AGAIN_ENV "REFORKD_AGAIN"
#define NUMBERS_ENV "REFORKD_MOLD"

int
again_start(struct start *start)
{
	const char *text = getenv(AGAIN_ENV);
	char block[4096];
	ssize_t n;
	int fd, rc;

	if (text == NULL)
		return -ENOENT;
	if (sscanf(text, "%d,%d", &fd, &start->state) != 2)
		return -EINVAL;
	unsetenv(AGAIN_ENV);
	if (start->state >= 0)
		(void)fd_cloexec(start->state, true);
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

bool
again_needed(const struct self *self, const struct start *start)
{
	if (start->is_again) {
		if (allocator_differs(&self->settings))
			log_warn("malloc: a second start has not put what "
				 "the file asks for");
		return false;
	}
	/* 3.3 and later turn it on when the application is loaded. */
	return allocator_differs(&self->settings) ||
	       heap_differs(&self->settings) ||
	       (self->settings.yjit != 0 && vm_yjit_at_start_only());
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

static int
variables_put(const struct self *self, int start_fd, int state, int board)
{
	char number[64];
	int rc;

	allocator_forget();
	heap_forget();
	rc = environ_put_again();
	if (rc == 0)
		rc = allocator_put(&self->settings);
	if (rc == 0)
		rc = heap_put(&self->settings);
	if (rc == 0 && self->settings.yjit != 0 && vm_yjit_at_start_only())
		rc = environ_put("RUBY_YJIT_ENABLE", "1");
	snprintf(number, sizeof(number), "%d,%d", start_fd, state);
	if (rc == 0 && setenv(AGAIN_ENV, number, 1) < 0)
		rc = -ENOMEM;
	snprintf(number, sizeof(number), "%d,%d", chan_fd(self->master), board);
	if (rc == 0 && setenv(NUMBERS_ENV, number, 1) < 0)
		rc = -ENOMEM;
	return rc;
}

void
again_exec(struct self *self, const struct start *start, int board)
{
	static char bytes[131072];
	static char *argv[1024];
	int fd = memfd_create("reforkd-start", 0);
	int rc = fd < 0 ? -errno : 0;
	int state = state_make();

	/* What the file has spawned and noted is not made a second time. */
	if (state < 0 && start->state >= 0)
		state = dup(start->state);
	if (rc == 0)
		rc = fd_write_all(fd, &start->head, sizeof(start->head));
	if (rc == 0)
		rc = fd_write_all(fd, start->tail.data, start->tail.len);
	if (rc == 0 && cmdline_read(bytes, sizeof(bytes), argv, 1024) == NULL)
		rc = -EIO;
	if (rc == 0)
		rc = variables_put(self, fd, state, board);
	if (rc == 0) {
		fd_cloexec(chan_fd(self->master), false);
		fd_cloexec(board, false);
		if (state >= 0)
			(void)fd_cloexec(state, false);
		execv("/proc/self/exe", argv);
		rc = -errno;
	}
	log_warn("malloc, oob_gc, yjit: starting once more failed: %s",
	    strerror(-rc));
	(void)environ_take_back();
	unsetenv(NUMBERS_ENV);
	unsetenv(AGAIN_ENV);
	fd_cloexec(chan_fd(self->master), true);
	fd_cloexec(board, true);
	fd_close(&state);
	fd_close(&fd);
}
