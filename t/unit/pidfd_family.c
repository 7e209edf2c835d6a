/*
 * pidfd_family.c - how a grandchild ended, in every order of deaths.
 *
 * The test process is the master: a subreaper. The mold is its child, the
 * worker the mold's; the worker's pidfd is opened by pid, which is safe here
 * because somebody always keeps the zombie or the process itself.
 */
#include "base/pidfd.h"

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pidfd_wait.h"
#include "suite.h"

/* Blocks until somebody has reaped it. */
static void
await_reap(int pidfd)
{
	struct pollfd pfd = { .fd = pidfd, .events = 0 };

	ck_assert_int_eq(poll(&pfd, 1, 10000), 1);
	ck_assert_int_ne(pfd.revents & POLLHUP, 0);
}

/* A mold with one worker; both wait until they are told. */
struct family {
	int mold, worker; /* pidfds */
	pid_t worker_pid;
	int tell[2]; /* to the mold: 'r' = reap the worker */
};

static void
exits_fine(int signo)
{
	(void)signo;
	_exit(0);
}

static void
mold_run(int tell, int report)
{
	pid_t pid;
	char c;

	/* Inherited: who knows the worker's pid may signal it at once. */
	(void)signal(SIGUSR1, exits_fine);
	pid = fork();
	if (pid == 0) {
		(void)close(tell);
		(void)close(report);
		for (;;)
			(void)pause();
	}
	if (write(report, &pid, sizeof(pid)) != sizeof(pid))
		_exit(1);
	while (read(tell, &c, 1) == 1)
		if (waitpid(pid, NULL, 0) != pid)
			_exit(2);
	_exit(0);
}

static struct family
family_make(void)
{
	struct family f;
	int report[2];
	pid_t mold, worker;

	ck_assert_int_eq(pipe(f.tell), 0);
	ck_assert_int_eq(pipe(report), 0);
	mold = fork();
	ck_assert_int_ge(mold, 0);
	if (mold == 0) {
		(void)close(f.tell[1]);
		mold_run(f.tell[0], report[1]);
	}
	ck_assert_int_eq(
	    read(report[0], &worker, sizeof(worker)), sizeof(worker));
	f.mold = pidfd_open_pid(mold);
	f.worker = pidfd_open_pid(worker);
	f.worker_pid = worker;
	ck_assert_int_ge(f.mold, 0);
	ck_assert_int_ge(f.worker, 0);
	return f;
}

static void
kill_and_await(int pidfd, int sig)
{
	ck_assert_int_eq(pidfd_signal(pidfd, sig), 0);
	await_death(pidfd);
}

static void
mold_reaps(const struct family *f)
{
	ck_assert_int_eq(write(f->tell[1], "r", 1), 1);
	await_reap(f->worker);
}

static bool
kernel_tells(void)
{
	struct family f = family_make();
	int rc;

	kill_and_await(f.worker, SIGKILL);
	mold_reaps(&f);
	rc = pidfd_status(f.worker, &end);
	ck_assert_int_ge(rc, 0);
	memset(&end, 0, sizeof(end));
	return rc == 1;
}

START_TEST(a_grandchild_that_lives_has_no_status)
{
	struct family f = family_make();

	ck_assert_int_eq(pidfd_status(f.worker, &end), 0);
	ck_assert_int_eq(pidfd_peek(f.worker, &end), -ECHILD);
	kill_and_await(f.worker, SIGKILL);
}
END_TEST

START_TEST(a_grandchild_is_not_known_before_its_mold_reaps)
{
	struct family f = family_make();

	kill_and_await(f.worker, SIGTERM);
	ck_assert_int_eq(pidfd_status(f.worker, &end), 0);
	ck_assert_int_eq(end.code, 0);
}
END_TEST

START_TEST(a_reaped_grandchild_is_told_by_the_kernel)
{
	struct family f;

	if (!kernel_tells())
		return;
	f = family_make();
	kill_and_await(f.worker, SIGTERM);
	mold_reaps(&f);
	ck_assert_int_eq(pidfd_status(f.worker, &end), 1);
	ck_assert_int_eq(end.code, CLD_KILLED);
	ck_assert_int_eq(end.status, SIGTERM);
	/* As long as the descriptor is held, the mold gone or not. */
	kill_and_await(f.mold, SIGKILL);
	memset(&end, 0, sizeof(end));
	ck_assert_int_eq(pidfd_status(f.worker, &end), 1);
	ck_assert_int_eq(end.status, SIGTERM);
}
END_TEST

START_TEST(with_getinfo_off_a_reaped_grandchild_stays_unknown)
{
	struct family f = family_make();

	pidfd_getinfo_off();
	kill_and_await(f.worker, SIGTERM);
	mold_reaps(&f);
	ck_assert_int_eq(pidfd_status(f.worker, &end), 0);
	ck_assert_int_eq(end.code, 0);
}
END_TEST

static const int ways_to_end[] = { SIGTERM, SIGSEGV, SIGUSR1 };

START_TEST(a_zombie_that_its_mold_leaves_lying_is_told_by_proc)
{
	struct family f = family_make();
	int sig = ways_to_end[_i];

	ck_assert_int_eq(pidfd_corpse(f.worker, f.worker_pid, &end), 0);
	ck_assert_int_eq(pidfd_signal(f.mold, SIGSTOP), 0);
	kill_and_await(f.worker, sig);
	ck_assert_int_eq(pidfd_status(f.worker, &end), 0);
	ck_assert_int_eq(pidfd_corpse(f.worker, f.worker_pid, &end), 1);
	ck_assert_int_eq(end.code == CLD_EXITED, sig == SIGUSR1);
	ck_assert_int_eq(end.status, sig == SIGUSR1 ? 0 : sig);
	kill_and_await(f.mold, SIGKILL);
	await_status(f.worker);
	memset(&end, 0, sizeof(end));
	ck_assert_int_eq(pidfd_corpse(f.worker, f.worker_pid, &end), 0);
	ck_assert_int_eq(end.code, 0);
}
END_TEST

START_TEST(the_worker_first_then_the_mold_without_reaping)
{
	struct family f = family_make();

	if (_i == 1)
		pidfd_getinfo_off();
	kill_and_await(f.worker, SIGSEGV);
	ck_assert_int_eq(pidfd_status(f.worker, &end), 0);
	kill_and_await(f.mold, SIGKILL);
	await_status(f.worker);
	ck_assert(end.code == CLD_KILLED || end.code == CLD_DUMPED);
	ck_assert_int_eq(end.status, SIGSEGV);
	await_status(f.mold);
	ck_assert_int_eq(end.status, SIGKILL);
}
END_TEST

START_TEST(the_mold_first_then_the_worker)
{
	struct family f = family_make();

	if (_i == 1)
		pidfd_getinfo_off();
	kill_and_await(f.mold, SIGKILL);
	await_status(f.mold);
	ck_assert_int_eq(pidfd_status(f.worker, &end), 0);
	kill_and_await(f.worker, SIGTERM);
	await_status(f.worker);
	ck_assert_int_eq(end.code, CLD_KILLED);
	ck_assert_int_eq(end.status, SIGTERM);
}
END_TEST

START_TEST(a_stopped_mold_reveals_its_worker_when_it_is_killed)
{
	struct family f = family_make();

	if (_i == 1)
		pidfd_getinfo_off();
	ck_assert_int_eq(pidfd_signal(f.mold, SIGSTOP), 0);
	kill_and_await(f.worker, SIGTERM);
	ck_assert_int_eq(pidfd_status(f.worker, &end), 0);
	kill_and_await(f.mold, SIGKILL);
	await_status(f.worker);
	ck_assert_int_eq(end.status, SIGTERM);
}
END_TEST

START_TEST(both_at_once_are_both_known)
{
	int i;

	/* Nobody reaps but the subreaper: no order may lose the status. */
	if (_i == 1)
		pidfd_getinfo_off();
	for (i = 0; i < 100; i++) {
		struct family f = family_make();

		ck_assert_int_eq(
		    pidfd_signal(i % 2 == 0 ? f.worker : f.mold, SIGKILL), 0);
		ck_assert_int_eq(
		    pidfd_signal(i % 2 == 0 ? f.mold : f.worker, SIGKILL), 0);
		await_status(f.worker);
		ck_assert_int_eq(end.status, SIGKILL);
		await_status(f.mold);
		ck_assert_int_eq(end.status, SIGKILL);
		(void)close(f.worker);
		(void)close(f.mold);
		(void)close(f.tell[0]);
		(void)close(f.tell[1]);
	}
}
END_TEST

static void
add_families(TCase *tc)
{
	tcase_add_test(tc, a_grandchild_that_lives_has_no_status);
	tcase_add_test(tc, a_grandchild_is_not_known_before_its_mold_reaps);
	tcase_add_test(tc, a_reaped_grandchild_is_told_by_the_kernel);
	tcase_add_loop_test(tc,
	    a_zombie_that_its_mold_leaves_lying_is_told_by_proc, 0,
	    (int)(sizeof(ways_to_end) / sizeof(ways_to_end[0])));
	tcase_add_test(tc, with_getinfo_off_a_reaped_grandchild_stays_unknown);
	/* 0: as the kernel is, 1: as one without PIDFD_GET_INFO. */
	tcase_add_loop_test(
	    tc, the_worker_first_then_the_mold_without_reaping, 0, 2);
	tcase_add_loop_test(tc, the_mold_first_then_the_worker, 0, 2);
	tcase_add_loop_test(
	    tc, a_stopped_mold_reveals_its_worker_when_it_is_killed, 0, 2);
	tcase_add_loop_test(tc, both_at_once_are_both_known, 0, 2);
}

int
main(void)
{
	Suite *suite = suite_create("pidfd_family");
	TCase *tc = tcase_create("pidfd_family");

	suite_add_tcase(suite, tc);
	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, setup, NULL);
	add_families(tc);
	return suite_run(suite);
}
