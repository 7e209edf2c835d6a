/*
 * fd.c - descriptors.
 */
#include "base/fd.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "suite.h"

START_TEST(close_forgets_the_number_and_keeps_errno)
{
	int fd = open("/dev/null", O_RDONLY);
	int was = fd;

	errno = EXDEV;
	fd_close(&fd);
	ck_assert_int_eq(fd, -1);
	ck_assert_int_eq(errno, EXDEV);
	ck_assert_int_lt(fcntl(was, F_GETFD), 0);
	fd = was;
	errno = EXDEV;
	fd_close(&fd); /* EBADF inside */
	fd_close(&fd); /* -1 */
	ck_assert_int_eq(errno, EXDEV);
}
END_TEST

START_TEST(flags_go_on_and_off)
{
	int fd = open("/dev/null", O_RDWR | O_APPEND);

	ck_assert_int_eq(fd_cloexec(fd, true), 0);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(fd_cloexec(fd, false), 0);
	ck_assert_int_eq(fcntl(fd, F_GETFD), 0);
	ck_assert_int_eq(fd_nonblock(fd, true), 0);
	ck_assert_int_eq(fcntl(fd, F_GETFL) & (O_NONBLOCK | O_APPEND),
	    O_NONBLOCK | O_APPEND);
	ck_assert_int_eq(fd_nonblock(fd, false), 0);
	ck_assert_int_eq(
	    fcntl(fd, F_GETFL) & (O_NONBLOCK | O_APPEND), O_APPEND);
	ck_assert_int_eq(fd_cloexec(-1, true), -EBADF);
	ck_assert_int_eq(fd_nonblock(-1, true), -EBADF);
}
END_TEST

#define MUCH (1 << 20)

static void *
read_all(void *p)
{
	int fd = *(int *)p;
	static char bytes[4096];
	ssize_t n;
	size_t sum = 0;

	while ((n = read(fd, bytes, sizeof(bytes))) > 0)
		sum += (size_t)n;
	ck_assert_uint_eq(sum, MUCH);
	return NULL;
}

START_TEST(write_all_writes_more_than_a_pipe_holds)
{
	static char bytes[MUCH];
	pthread_t thread;
	int p[2];

	ck_assert_int_eq(pipe(p), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, read_all, &p[0]), 0);
	ck_assert_int_eq(fd_write_all(p[1], bytes, sizeof(bytes)), 0);
	fd_close(&p[1]);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
}
END_TEST

START_TEST(write_all_tells_what_stopped_it)
{
	int p[2], full = open("/dev/full", O_WRONLY);

	ck_assert_int_eq(fd_write_all(full, "x", 1), -ENOSPC);
	ck_assert_int_eq(fd_write_all(full, "", 0), 0);
	(void)signal(SIGPIPE, SIG_IGN);
	ck_assert_int_eq(pipe(p), 0);
	fd_close(&p[0]);
	ck_assert_int_eq(fd_write_all(p[1], "x", 1), -EPIPE);
}
END_TEST

START_TEST(a_small_file_is_read_whole_and_a_large_one_cut)
{
	char path[] = "/tmp/reforkd-fd-XXXXXX";
	char out[8];
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fd_read_file(path, out, sizeof(out)), 0);
	ck_assert_str_eq(out, "");
	ck_assert_int_eq(fd_write_all(fd, "1234567", 7), 0);
	ck_assert_int_eq(fd_read_file(path, out, sizeof(out)), 7);
	ck_assert_str_eq(out, "1234567");
	ck_assert_int_eq(fd_write_all(fd, "89", 2), 0);
	ck_assert_int_eq(fd_read_file(path, out, sizeof(out)), 7);
	ck_assert_str_eq(out, "1234567");
	ck_assert_int_eq(fd_read_file(path, out, 1), 0);
	ck_assert_int_eq(fd_read_file(path, out, 0), -EINVAL);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(fd_read_file(path, out, sizeof(out)), -ENOENT);
	ck_assert_int_eq(fd_read_file("/", out, sizeof(out)), -EISDIR);
}
END_TEST

START_TEST(count_counts_what_is_open)
{
	int before = fd_count();
	int fd = open("/dev/null", O_RDONLY);

	ck_assert_int_ge(before, 3);
	ck_assert_int_eq(fd_count(), before + 1);
	fd_close(&fd);
	ck_assert_int_eq(fd_count(), before);
}
END_TEST

static bool
keep_one(int fd, void *wanted)
{
	return fd == *(int *)wanted;
}

START_TEST(close_others_keeps_what_is_asked_and_what_is_below)
{
	int fds[300], i, kept;

	for (i = 0; i < 300; i++)
		fds[i] = dup(1);
	ck_assert_int_ge(fds[299], 0);
	kept = fds[150];
	fd_close_others(fds[10], keep_one, &kept);
	for (i = 0; i < 300; i++)
		ck_assert_int_eq(
		    fcntl(fds[i], F_GETFD) >= 0, i < 10 || i == 150);
	fd_close_others(fds[0], NULL, NULL);
	ck_assert_int_lt(fcntl(kept, F_GETFD), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("fd");
	TCase *tc = tcase_create("fd");

	suite_add_tcase(suite, tc);
	tcase_add_test(tc, close_forgets_the_number_and_keeps_errno);
	tcase_add_test(tc, flags_go_on_and_off);
	tcase_add_test(tc, write_all_writes_more_than_a_pipe_holds);
	tcase_add_test(tc, write_all_tells_what_stopped_it);
	tcase_add_test(tc, a_small_file_is_read_whole_and_a_large_one_cut);
	tcase_add_test(tc, count_counts_what_is_open);
	tcase_add_test(tc, close_others_keeps_what_is_asked_and_what_is_below);
	return suite_run(suite);
}
