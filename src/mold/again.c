/*
 * again.c - one more start of this very program.
 */
#include "mold/again.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/environ.h"
#include "base/fd.h"
#include "base/log.h"
#include "ipc/allocator.h"
#include "ipc/chan.h"
#include "ipc/heap.h"
#include "mold/front.h"
#include "mold/state.h"
#include "ruby/vm.h"
#include "worker/self.h"

/* In the tail of START: "worker=TOKEN SLOT ROW GENERATION", "worker_fd=N". */
#define WORKER_KEY "worker="
#define WORKER_FD_KEY "worker_fd="

/* The command line, before a title took its place. */
struct image {
	char bytes[131072];
	char *argv[1024];
};

/* Kept by a mold of worker_exec. */
static struct image image;
static struct start kept = { .tail = BUF_INIT, .state = -1 };
static int kept_board = -1;

/* Left by the image before: descriptors of memfds that hold START and STATE. */
#define AGAIN_ENV "REFORKD_AGAIN"
#define NUMBERS_ENV "REFORKD_MOLD"
#define OWN_PROGRAM "/proc/self/exe"

int
again_start(struct start *start)
{
	const char *text = getenv(AGAIN_ENV);
	char block[4096];
	ssize_t n;
	int fd, is_front, rc;

	if (text == NULL)
		return -ENOENT;
	if (sscanf(text, "%d,%d,%d", &fd, &start->state, &is_front) != 3)
		return -EINVAL;
	unsetenv(AGAIN_ENV);
	if (start->state >= 0)
		(void)fd_cloexec(start->state, true);
	start->is_again = true;
	start->is_front = is_front != 0;
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
		/* gc has written what the Ruby before this one reads. */
		return start->is_front && heap_differs(&self->settings);
	}
	/* 3.3 and later turn it on when the application is loaded. */
	return allocator_differs(&self->settings) ||
	       heap_differs(&self->settings) ||
	       (self->settings.yjit != 0 && vm_yjit_at_start_only());
}

static int
image_read(struct image *i)
{
	int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	size_t used = 0, n = 0;
	ssize_t got;
	char *p;

	while (
	    fd >= 0 && used < sizeof(i->bytes) - 1 &&
	    (got = read(fd, i->bytes + used, sizeof(i->bytes) - 1 - used)) > 0)
		used += (size_t)got;
	fd_close(&fd);
	i->bytes[used] = '\0';
	for (p = i->bytes; p < i->bytes + used && n < 1023; p += strlen(p) + 1)
		i->argv[n++] = p;
	i->argv[n] = NULL;
	return n > 0 ? 0 : -EIO;
}

static int
variables_put(const struct self *self, const char *again, int board)
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
	if (rc == 0 && setenv(AGAIN_ENV, again, 1) < 0)
		rc = -ENOMEM;
	snprintf(number, sizeof(number), "%d,%d", chan_fd(self->master), board);
	if (rc == 0 && setenv(NUMBERS_ENV, number, 1) < 0)
		rc = -ENOMEM;
	return rc;
}

/* Takes the state; does not return unless it cannot: -errno. */
static int
execute(const struct self *self, const struct start *start, const char *program,
    char *const *argv, int take_state, int board)
{
	int fd = memfd_create("reforkd-start", 0);
	int rc = fd < 0 ? -errno : 0;
	char again[64];

	if (rc == 0)
		rc = fd_write_all(fd, &start->head, sizeof(start->head));
	if (rc == 0)
		rc = fd_write_all(fd, start->tail.data, start->tail.len);
	snprintf(again, sizeof(again), "%d,%d,%d", fd, take_state,
	    strcmp(program, OWN_PROGRAM) != 0);
	if (rc == 0)
		rc = variables_put(self, again, board);
	if (rc == 0) {
		fd_cloexec(chan_fd(self->master), false);
		fd_cloexec(board, false);
		if (take_state >= 0)
			(void)fd_cloexec(take_state, false);
		execv(program, argv);
		rc = -errno;
	}
	(void)environ_take_back();
	unsetenv(NUMBERS_ENV);
	unsetenv(AGAIN_ENV);
	fd_cloexec(chan_fd(self->master), true);
	fd_cloexec(board, true);
	fd_close(&take_state);
	fd_close(&fd);
	return rc;
}

void
again_exec(struct self *self, const struct start *start, struct front *front,
    int board)
{
	static char *argv[1024 + 8];
	int rc = image_read(&image);
	int state = -1;

	if (rc == 0 && front != NULL)
		rc = front_argv(front, image.argv, argv, 1024 + 8);
	/* What the file has spawned and noted is not made a second time. */
	if (rc == 0)
		state = state_make(false);
	if (rc == 0 && state < 0 && start->state >= 0)
		state = dup(start->state);
	if (rc == 0 && front != NULL)
		rc = execute(self, start, front->ruby, argv, state, board);
	else if (rc == 0)
		rc =
		    execute(self, start, OWN_PROGRAM, image.argv, state, board);
	log_warn("%s: starting once more failed: %s",
	    front != NULL ? front->ruby : "malloc, oob_gc, yjit",
	    strerror(-rc));
}

/* --- worker_exec -------------------------------------------------------- */

int
again_keep(const struct start *start, int board)
{
	int rc = image_read(&image);

	kept.head = start->head;
	kept_board = board;
	return rc == 0 ? buf_put(&kept.tail, start->tail.data, start->tail.len)
		       : rc;
}

static int
worker_put(const struct self *self, const struct rfk_fork *fork)
{
	size_t i;
	int rc = buf_printf(&kept.tail, WORKER_KEY "%" PRIu64 " %u %u %u",
	    fork->token, fork->slot, fork->row, fork->generation);

	if (rc == 0)
		rc = buf_put(&kept.tail, "", 1);
	for (i = 0; rc == 0 && i < self->nlisteners; i++) {
		rc = buf_printf(
		    &kept.tail, WORKER_FD_KEY "%d", self->listeners[i]);
		if (rc == 0)
			rc = buf_put(&kept.tail, "", 1);
		fd_cloexec(self->listeners[i], false);
	}
	return rc;
}

void
again_as_worker(struct self *self, const struct rfk_fork *fork)
{
	size_t i;
	int rc = worker_put(self, fork);

	if (rc == 0)
		rc = execute(self, &kept, OWN_PROGRAM, image.argv,
		    state_make(true), kept_board);
	for (i = 0; i < self->nlisteners; i++)
		fd_cloexec(self->listeners[i], true);
	log_warn("worker_exec: worker=%u stays a fork, it cannot be started "
		 "anew: %s",
	    fork->slot, strerror(-rc));
}

int
again_is_worker(struct self *self, const struct start *start)
{
	const char *p = start->tail.data, *end = p + start->tail.len;
	struct rfk_fork fork = { 0 };
	bool is_worker = false;
	int fd, rc;

	for (; p < end; p += strnlen(p, (size_t)(end - p)) + 1) {
		if (sscanf(p, WORKER_KEY "%" SCNu64 " %u %u %u", &fork.token,
			&fork.slot, &fork.row, &fork.generation) == 4)
			is_worker = true;
		else if (self->nlisteners < RFK_LISTENERS_MAX &&
			 sscanf(p, WORKER_FD_KEY "%d", &fd) == 1 &&
			 fd_cloexec(fd, true) == 0)
			self->listeners[self->nlisteners++] = fd;
	}
	if (is_worker)
		(void)prctl(PR_SET_NAME, "reforkd-worker");
	rc = is_worker ? self_newborn(self, &fork, -1) : 0;
	return rc < 0 ? rc : is_worker;
}
