/*
 * process.c - another process as the master holds it, in a real loop: what it
 * says, that it is late, that it has ended, and in which order this is heard.
 */
#include "master/process.h"

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "ipc/chan.h"
#include "master/master.h"
#include "suite.h"

static struct master master;
static struct process process;
static int peer; /* the other end of its channel */

/* What was called, in its order: m b l g, and s for the stops. */
static char calls[32];

static void
note(char what)
{
	size_t n = strlen(calls);

	ck_assert_uint_lt(n + 1, sizeof(calls));
	calls[n] = what;
}

/* The real one reads the master's signals. */
void
signals_stops_first(struct master *m)
{
	ck_assert_ptr_eq(m, &master);
	note('s');
}

static void
on_message(void *owner, const struct rfk_msg *msg, int *take_fds)
{
	(void)take_fds;
	ck_assert_ptr_eq(owner, &process);
	ck_assert_int_eq(msg->type, RFK_MSG_EXITING);
	note('m');
}

static void
on_broken(void *owner)
{
	ck_assert_ptr_eq(owner, &process);
	note('b');
	ev_break(master.loop, EVBREAK_ALL);
}

static void
on_late(void *owner)
{
	ck_assert_ptr_eq(owner, &process);
	note('l');
	ev_break(master.loop, EVBREAK_ALL);
}

static void
on_gone(void *owner)
{
	process_close(owner);
	note('g');
	ev_break(master.loop, EVBREAK_ALL);
}

static const struct process_calls process_calls = {
	.message = on_message,
	.broken = on_broken,
	.late = on_late,
	.gone = on_gone,
};

static void
setup(void)
{
	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
	(void)signal(SIGTERM, SIG_DFL);
	master.loop = ev_loop_new(EVFLAG_AUTO);
	ck_assert_ptr_nonnull(master.loop);
	process_init(&process, &master, &process, &process_calls);
}

static void
teardown(void)
{
	process_close(&process);
	fd_close(&peer);
	ev_loop_destroy(master.loop);
}

/* A child that waits for a byte, then says EXITING and exits with 3. */
static void
child(void)
{
	struct rfk_msg msg = { .type = RFK_MSG_EXITING };
	int pair[2];
	pid_t pid;
	char c;

	ck_assert_int_eq(chan_pair(pair), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		struct chan *chan = chan_open(pair[1], RFK_MASTER);

		(void)close(pair[0]);
		(void)chan_wait(chan, UINT64_MAX);
		(void)!read(pair[1], &c, 1);
		(void)chan_put(chan, &msg, NULL, 0);
		_exit(3);
	}
	ck_assert_int_eq(process_open(&process, RFK_WORKER, pid,
			     pidfd_open_pid(pid), pair[0]),
	    0);
	peer = pair[1];
}

static void
let_it_end(void)
{
	struct rfk_msg msg = { .type = RFK_MSG_REOPEN };

	fd_close(&peer);
	ck_assert_int_eq(process_put(&process, &msg, NULL, 0), 0);
}

static void
run(void)
{
	(void)ev_run(master.loop, 0);
}

START_TEST(its_last_words_come_before_its_end_and_stops_before_both)
{
	child();
	let_it_end();
	while (!pidfd_gone(process.pidfd))
		ck_assert_int_eq(usleep(1000), 0);
	process_look(&process);
	ck_assert_str_eq(calls, "smg");
	ck_assert_int_eq(process.exit.code, CLD_EXITED);
	ck_assert_int_eq(process.exit.status, 3);
}
END_TEST

START_TEST(the_loop_hears_it)
{
	child();
	let_it_end();
	run();
	ck_assert(strcmp(calls, "msg") == 0 || strcmp(calls, "smg") == 0);
	ck_assert_int_eq(process.exit.status, 3);
}
END_TEST

START_TEST(who_lives_is_not_gone)
{
	child();
	process_look(&process);
	process_read(&process);
	ck_assert_str_eq(calls, "");
	process_kill(&process);
	run();
	ck_assert_str_eq(calls, "sg");
	ck_assert_int_eq(process.exit.status, SIGKILL);
}
END_TEST

START_TEST(one_deadline_at_a_time)
{
	child();
	process_arm(&process, 1);
	process_arm(&process, 2);
	run();
	ck_assert_str_eq(calls, "l");
	process_arm(&process, 1);
	process_disarm(&process);
	process_kill(&process);
	run();
	ck_assert_str_eq(calls, "lsg");
}
END_TEST

START_TEST(who_breaks_the_protocol_is_not_listened_to_any_more)
{
	struct rfk_msg msg = { .type = RFK_MSG_QUIT };
	int fds[2];

	child();
	ck_assert_int_eq(send(peer, "junk", 4, 0), 4);
	run();
	ck_assert_str_eq(calls, "b");
	ck_assert_ptr_null(process.chan);
	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(process_put(&process, &msg, &fds[1], 1), -EPIPE);
	ck_assert_int_eq(close(fds[1]), -1);
	ck_assert_int_eq(close(fds[0]), 0);
	process_kill(&process);
}
END_TEST

START_TEST(a_parents_report_is_believed_and_waits_for_the_death)
{
	struct pidfd_exit first = { CLD_EXITED, 7 };
	struct pidfd_exit later = { CLD_KILLED, SIGKILL };

	child();
	process_report(&process, &first);
	process_report(&process, &later);
	ck_assert_str_eq(calls, "");
	let_it_end();
	run();
	ck_assert_int_eq(process.exit.code, CLD_EXITED);
	ck_assert_int_eq(process.exit.status, 7);
}
END_TEST

/* A grandchild, killed while its parent is stopped and can report nothing. */
START_TEST(an_end_that_the_parent_does_not_report_is_found)
{
	int pair[2], report[2], parent_fd;
	pid_t pid, parent;

	ck_assert_int_eq(chan_pair(pair), 0);
	ck_assert_int_eq(pipe(report), 0);
	parent = fork();
	ck_assert_int_ge(parent, 0);
	if (parent == 0) {
		pid = fork();
		if (pid != 0 &&
		    write(report[1], &pid, sizeof(pid)) != sizeof(pid))
			_exit(1);
		for (;;)
			(void)pause();
	}
	ck_assert_int_eq(read(report[0], &pid, sizeof(pid)), sizeof(pid));
	parent_fd = pidfd_open_pid(parent);
	ck_assert_int_eq(process_open(&process, RFK_WORKER, pid,
			     pidfd_open_pid(pid), pair[0]),
	    0);
	peer = pair[1];
	ck_assert_int_eq(pidfd_signal(parent_fd, SIGSTOP), 0);
	ck_assert_int_eq(pidfd_signal(process.pidfd, SIGTERM), 0);
	run();
	ck_assert_str_eq(calls, "sg");
	ck_assert_int_eq(process.exit.code, CLD_KILLED);
	ck_assert_int_eq(process.exit.status, SIGTERM);
	ck_assert_int_eq(pidfd_signal(parent_fd, SIGKILL), 0);
	ck_assert_int_eq(close(parent_fd), 0);
}
END_TEST

START_TEST(one_that_nobody_asked_for_is_killed)
{
	int pair[2], pidfd;
	struct pidfd_exit end = { 0 };
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		for (;;)
			(void)pause();
	pidfd = pidfd_open_pid(pid);
	ck_assert_int_eq(chan_pair(pair), 0);
	process_reject(dup(pidfd), pair[0]);
	while (pidfd_status(pidfd, &end) == 0)
		ck_assert_int_eq(usleep(1000), 0);
	ck_assert_int_eq(end.status, SIGKILL);
	ck_assert_int_eq(close(pair[0]), -1);
	ck_assert_int_eq(close(pair[1]), 0);
	ck_assert_int_eq(close(pidfd), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("process");
	TCase *tc = tcase_create("process");

	suite_add_tcase(suite, tc);
	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(
	    tc, its_last_words_come_before_its_end_and_stops_before_both);
	tcase_add_test(tc, the_loop_hears_it);
	tcase_add_test(tc, who_lives_is_not_gone);
	tcase_add_test(tc, one_deadline_at_a_time);
	tcase_add_test(tc, who_breaks_the_protocol_is_not_listened_to_any_more);
	tcase_add_test(
	    tc, a_parents_report_is_believed_and_waits_for_the_death);
	tcase_add_test(tc, an_end_that_the_parent_does_not_report_is_found);
	tcase_add_test(tc, one_that_nobody_asked_for_is_killed);
	return suite_run(suite);
}
