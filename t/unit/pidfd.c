/*
 * pidfd.c - a process of one's own by descriptor: how it ended, and its text.
 */
#include "base/pidfd.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pidfd_wait.h"
#include "suite.h"

static int
child_that_exits(int status)
{
	pid_t pid = fork();
	int pidfd;

	if (pid == 0)
		_exit(status);
	pidfd = pidfd_open_pid(pid);
	ck_assert_int_ge(pidfd, 0);
	return pidfd;
}

static int
child_that_waits(void)
{
	pid_t pid = fork();
	int pidfd;

	if (pid == 0)
		for (;;)
			(void)pause();
	pidfd = pidfd_open_pid(pid);
	ck_assert_int_ge(pidfd, 0);
	return pidfd;
}

START_TEST(a_pidfd_is_closed_by_exec)
{
	int pidfd = child_that_exits(0);

	ck_assert_int_eq(fcntl(pidfd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(pidfd_open_pid(-1), -EINVAL);
	await_status(pidfd);
}
END_TEST

START_TEST(a_childs_exit_status_is_known_once_and_then_still)
{
	int pidfd = child_that_exits(3);

	await_death(pidfd);
	ck_assert_int_eq(pidfd_peek(pidfd, &end), 1);
	ck_assert_int_eq(pidfd_peek(pidfd, &end), 1);
	ck_assert_int_eq(end.code, CLD_EXITED);
	ck_assert_int_eq(end.status, 3);
	ck_assert(!pidfd_ok(&end));
	ck_assert_int_eq(pidfd_reap(pidfd), 0);
	ck_assert_int_eq(pidfd_reap(pidfd), -ECHILD);
	ck_assert_int_eq(pidfd_peek(pidfd, &end), -ECHILD);
	ck_assert_int_eq(pidfd_signal(pidfd, SIGTERM), -ESRCH);
}
END_TEST

START_TEST(a_living_child_has_no_status)
{
	int pidfd = child_that_waits();

	ck_assert_int_eq(pidfd_status(pidfd, &end), 0);
	ck_assert_int_eq(pidfd_peek(pidfd, &end), 0);
	ck_assert_int_eq(pidfd_reap(pidfd), -EAGAIN);
	ck_assert_int_eq(pidfd_signal(pidfd, 0), 0);
	ck_assert_int_eq(pidfd_signal(pidfd, SIGKILL), 0);
	await_death(pidfd);
	ck_assert_int_eq(pidfd_status(pidfd, &end), 1);
	ck_assert_int_eq(end.code, CLD_KILLED);
	ck_assert_int_eq(end.status, SIGKILL);
}
END_TEST

START_TEST(what_is_no_pidfd_is_an_error)
{
	int fd = open("/dev/null", O_RDONLY);

	ck_assert_int_lt(pidfd_status(-1, &end), 0);
	ck_assert_int_lt(pidfd_status(fd, &end), 0);
	ck_assert_int_lt(pidfd_signal(fd, SIGTERM), 0);
	ck_assert_int_eq(close(fd), 0);
}
END_TEST

START_TEST(another_ones_number_tells_nothing)
{
	int reaped = child_that_exits(0);
	pid_t zombie = fork();
	int pidfd;

	if (zombie == 0)
		_exit(5);
	pidfd = pidfd_open_pid(zombie);
	await_death(pidfd);
	await_death(reaped);
	await_status(reaped);
	memset(&end, 0, sizeof(end));
	ck_assert_int_eq(pidfd_corpse(reaped, zombie, &end), 0);
	ck_assert_int_eq(end.code, 0);
	ck_assert_int_eq(pidfd_corpse(pidfd, zombie, &end), 1);
	ck_assert_int_eq(end.code, CLD_EXITED);
	ck_assert_int_eq(end.status, 5);
}
END_TEST

static const struct {
	struct pidfd_exit end;
	const char *text;
} ends[] = {
	{ { CLD_EXITED, 0 }, "exit 0" },
	{ { CLD_EXITED, 3 }, "exit 3" },
	{ { CLD_KILLED, SIGKILL }, "SIGKILL (signal 9)" },
	{ { CLD_DUMPED, SIGSEGV }, "SIGSEGV (signal 11, core dumped)" },
	{ { CLD_KILLED, 40 }, "signal 40" },
	{ { CLD_DUMPED, 40 }, "signal 40, core dumped" },
	{ { 0, 0 }, "status unknown" },
	{ { CLD_STOPPED, SIGSTOP }, "status unknown" },
};

START_TEST(every_end_has_a_text)
{
	char out[64];

	ck_assert_str_eq(
	    pidfd_exit_text(&ends[_i].end, out, sizeof(out)), ends[_i].text);
	ck_assert_int_eq(pidfd_ok(&ends[_i].end), _i == 0);
	ck_assert_str_eq(pidfd_exit_text(&ends[_i].end, out, 4),
	    strncmp(ends[_i].text, "SIGK", 4) == 0     ? "SIG"
	    : strncmp(ends[_i].text, "SIGS", 4) == 0   ? "SIG"
	    : strncmp(ends[_i].text, "exit", 4) == 0   ? "exi"
	    : strncmp(ends[_i].text, "status", 6) == 0 ? "sta"
						       : "sig");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pidfd");
	TCase *tc = tcase_create("pidfd");

	suite_add_tcase(suite, tc);
	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, a_pidfd_is_closed_by_exec);
	tcase_add_test(tc, a_childs_exit_status_is_known_once_and_then_still);
	tcase_add_test(tc, a_living_child_has_no_status);
	tcase_add_test(tc, what_is_no_pidfd_is_an_error);
	tcase_add_test(tc, another_ones_number_tells_nothing);
	tcase_add_loop_test(
	    tc, every_end_has_a_text, 0, (int)(sizeof(ends) / sizeof(ends[0])));
	return suite_run(suite);
}
