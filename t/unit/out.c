/* out.c - an answer on its way: whole, in order, whatever the socket takes. */
#include "rack/out.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "suite.h"

/* Of the Rack side, which needs Ruby, only this file does not. */
#include "rack/out.c"

#define LARGE 700000

static struct out out;
static int fds[2];
static char *large, *got;
static size_t ngot;

static void
setup(void)
{
	size_t i;

	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	out_init(&out);
	large = malloc(LARGE);
	got = malloc(4 * LARGE);
	ngot = 0;
	for (i = 0; i < LARGE; i++)
		large[i] = (char)(i * 31 + i / 251);
}

static void
teardown(void)
{
	out_fini(&out);
	free(large);
	free(got);
	close(fds[0]);
	close(fds[1]);
}

/* Reads and flushes by turns until all is there. */
static void
drain(size_t want)
{
	while (ngot < want) {
		ssize_t n = read(fds[1], got + ngot, 4 * LARGE - ngot);
		int rc = out_flush(&out, fds[0]);

		ck_assert(rc == 0 || rc == -EAGAIN);
		if (n > 0)
			ngot += (size_t)n;
	}
	ck_assert_uint_eq(ngot, want);
	ck_assert_uint_eq(out_pending(&out), 0);
	ck_assert_uint_eq(out.sent, want);
}

START_TEST(what_is_held_goes_before_what_is_put)
{
	struct iovec iov[2] = { { large, 10 }, { large + 10, 5 } };

	ck_assert_int_eq(out_hold(&out, "head ", 5), 0);
	ck_assert_int_eq(out_put(&out, fds[0], iov, 2), 0);
	drain(20);
	ck_assert_int_eq(memcmp(got, "head ", 5), 0);
	ck_assert_int_eq(memcmp(got + 5, large, 15), 0);
}
END_TEST

START_TEST(what_the_socket_does_not_take_is_kept_in_order)
{
	struct iovec iov[3] = { { large, 300000 }, { large + 300000, 1 },
		{ large + 300001, LARGE - 300001 } };

	ck_assert_int_eq(out_hold(&out, "head", 4), 0);
	ck_assert_int_eq(out_put(&out, fds[0], iov, 3), 0);
	ck_assert_uint_gt(out_pending(&out), 0);
	ck_assert_int_eq(out_put(&out, fds[0], iov, 3), 0);
	drain(4 + 2 * (size_t)LARGE);
	ck_assert_int_eq(memcmp(got + 4, large, LARGE), 0);
	ck_assert_int_eq(memcmp(got + 4 + LARGE, large, LARGE), 0);
}
END_TEST

START_TEST(more_pieces_than_one_call_takes_are_no_problem)
{
	struct iovec iov[300];
	int i;

	for (i = 0; i < 300; i++)
		iov[i] = (struct iovec){ large + i * 100, 100 };
	ck_assert_int_eq(out_put(&out, fds[0], iov, 300), 0);
	drain(30000);
	ck_assert_int_eq(memcmp(got, large, 30000), 0);
}
END_TEST

static int
file_of(size_t len)
{
	char path[] = "/tmp/outXXXXXX";
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	unlink(path);
	ck_assert_int_eq((int)write(fd, large, len), (int)len);
	return fd;
}

START_TEST(a_file_comes_last)
{
	out_file(&out, file_of(LARGE), 100, LARGE - 100);
	ck_assert_int_eq(out_hold(&out, "head", 4), 0);
	drain(4 + LARGE - 100);
	ck_assert_int_eq(memcmp(got, "head", 4), 0);
	ck_assert_int_eq(memcmp(got + 4, large + 100, LARGE - 100), 0);
}
END_TEST

START_TEST(a_file_that_became_shorter_is_an_error)
{
	int rc;

	out_file(&out, file_of(1000), 0, 2000);
	do
		rc = out_flush(&out, fds[0]);
	while (rc == -EAGAIN);
	ck_assert_int_eq(rc, -EIO);
}
END_TEST

START_TEST(a_client_that_has_gone_is_an_error_that_stays)
{
	struct iovec iov = { large, 10 };

	close(fds[1]);
	ck_assert_int_lt(out_put(&out, fds[0], &iov, 1), 0);
	ck_assert_int_eq(out_flush(&out, fds[0]), out.error);
	ck_assert_int_eq(out_hold(&out, "x", 1), out.error);
	out_reset(&out);
	ck_assert_int_eq(out_hold(&out, "x", 1), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("out");
	TCase *tc = tcase_create("all");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_is_held_goes_before_what_is_put);
	tcase_add_test(tc, what_the_socket_does_not_take_is_kept_in_order);
	tcase_add_test(tc, more_pieces_than_one_call_takes_are_no_problem);
	tcase_add_test(tc, a_file_comes_last);
	tcase_add_test(tc, a_file_that_became_shorter_is_an_error);
	tcase_add_test(tc, a_client_that_has_gone_is_an_error_that_stays);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
