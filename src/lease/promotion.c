/*
 * promotion.c - Reforkd.promote: a session that is warm gives a copy of itself
 * as the next mold, at a point of its own choosing, and goes on.
 *
 * The worker offers itself and waits for the master's word, which comes at
 * once: PROMOTE, or PROMOTE without a token for "not now". The copy puts down
 * the client's streams, directory and umask before any Ruby runs in it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ruby/ruby.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "ipc/board.h"
#include "ipc/chan.h"
#include "lease/session.h"
#include "ruby/try.h"
#include "ruby/vm.h"
#include "worker/inquire.h"
#include "worker/worker.h"

/* What the process was before it became a client's; and whose it is. */
static struct {
	struct worker *worker;
	pid_t pid; /* while the block runs: not in what it forks, nor at_exit */
	int streams[3];
	int directory;
	mode_t umask;
} own = { .streams = { -1, -1, -1 }, .directory = -1 };

void
promotion_remember(void)
{
	int i;

	for (i = 0; i < 3; i++)
		own.streams[i] = fcntl(i, F_DUPFD_CLOEXEC, 3);
	own.directory = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	own.pid = getpid();
	own.umask = umask(0);
	(void)umask(own.umask);
}

void
promotion_over(void)
{
	own.pid = 0;
}

void
promotion_undo(void)
{
	int i;

	own.pid = 0;
	for (i = 0; i < 3; i++) {
		if (own.streams[i] >= 0)
			(void)dup2(own.streams[i], i);
		fd_close(&own.streams[i]);
	}
	if (own.directory >= 0 && fchdir(own.directory) < 0)
		log_warn("promotion: the directory of before has gone");
	fd_close(&own.directory);
	(void)umask(own.umask);
}

static void *
wait_raw(void *p)
{
	struct pollfd pfd = { .fd = *(int *)p, .events = POLLIN };

	(void)poll(&pfd, 1, 1000);
	return NULL;
}

/* 1 = *order; 0 = nothing for us has come yet; -errno. */
static int
order_take(struct worker *w, struct rfk_promote *order)
{
	struct self *self = worker_self(w);
	int fds[RFK_FDS_MAX], nfds = 0;
	struct rfk_msg msg;
	int rc = chan_get(self->master, &msg, fds, &nfds);

	while (nfds > 0)
		fd_close(&fds[--nfds]);
	if (rc <= 0)
		return rc < 0 ? rc : -EAGAIN;
	if (msg.type == RFK_MSG_ASK)
		inquire(self, &msg.u.ask, &w->in_unit);
	if (msg.type != RFK_MSG_PROMOTE)
		return 0;
	*order = msg.u.promote;
	return 1;
}

/* As before_promotion and the fork have left it: a session has no deadline. */
static void
row_again(struct worker *w)
{
	board_unit_begin(w->self->my_row, clock_ms(), 0, "LEASE", 5, "", 0);
}

/* true in the copy, nil in the worker that it was made of, false: none was. */
static VALUE
ask_raises(VALUE module)
{
	struct rfk_msg offer = { .type = RFK_MSG_VOLUNTEER };
	struct worker *w = own.worker;
	struct rfk_promote order;
	int fd, rc;

	(void)module;
	if (own.pid != getpid())
		rb_raise(rb_eRuntimeError,
		    "Reforkd.promote is for a leased worker itself, while its "
		    "block runs");
	rc = chan_put(w->self->master, &offer, NULL, 0);
	fd = chan_fd(w->self->master);
	while (rc >= 0 || rc == -EAGAIN) {
		rc = order_take(w, &order);
		if (rc == 1)
			break;
		if (rc == -EAGAIN)
			vm_without_gvl(wait_raw, &fd);
		rb_thread_check_ints();
	}
	if (rc < 0 || order.token == 0)
		return Qfalse;
	if (promote(w, &order))
		return Qtrue;
	row_again(w);
	return atomic_load(&w->self->my_row->unsafe) == 0 ? Qnil : Qfalse;
}

static VALUE
define_raises(VALUE unused)
{
	(void)unused;
	rb_define_singleton_method(
	    rb_define_module("Reforkd"), "promotion_ask", ask_raises, 0);
	return Qnil;
}

int
promotion_define(struct worker *w)
{
	struct ruby_error why;
	int rc = 0;

	if (own.worker == NULL)
		rc = ruby_try(define_raises, NULL, &why);
	if (rc < 0)
		ruby_error_log("Reforkd.promote", &why);
	own.worker = w;
	return rc;
}
