/*
 * chan.c - messages and descriptors between two ends.
 */
#include "ipc/chan.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "chan_ends.h"
#include "ipc/wire.h"
#include "suite.h"

START_TEST(a_message_arrives_once_and_in_order)
{
	struct rfk_msg msg;
	int fds[RFK_FDS_MAX], nfds;
	uint32_t i;

	for (i = 0; i < 10; i++) {
		msg = msg_fork(i);
		ck_assert_int_eq(chan_put(master, &msg, NULL, 0), 0);
	}
	for (i = 0; i < 10; i++) {
		ck_assert_int_eq(chan_get(mold, &msg, fds, &nfds), 1);
		ck_assert_int_eq(msg.type, RFK_MSG_FORK);
		ck_assert_uint_eq(msg.u.fork.slot, i);
		ck_assert_int_eq(nfds, 0);
	}
	ck_assert_int_eq(chan_get(mold, &msg, fds, &nfds), 0);
}
END_TEST

START_TEST(the_longest_tail_fits)
{
	static char tail[RFK_TAIL_MAX];
	struct rfk_msg msg = {
		.type = RFK_MSG_SETTINGS, .tail = tail, .tail_len = RFK_TAIL_MAX
	};
	int fds[RFK_FDS_MAX], nfds;

	memset(tail, 'x', sizeof(tail));
	ck_assert_int_eq(chan_put(mold, &msg, NULL, 0), 0);
	ck_assert(!chan_pending(mold));
	ck_assert_int_eq(chan_get(master, &msg, fds, &nfds), 1);
	ck_assert_uint_eq(msg.tail_len, RFK_TAIL_MAX);
	ck_assert_mem_eq(msg.tail, tail, RFK_TAIL_MAX);
}
END_TEST

START_TEST(descriptors_travel_and_are_closed_by_the_sender)
{
	struct rfk_msg msg = msg_spawned(3);
	int here[2], there[2], fds[RFK_FDS_MAX], nfds, i;
	char c;

	two_pipes(here, there);
	ck_assert_int_eq(chan_put(mold, &msg, there, 2), 0);
	ck_assert_int_lt(fcntl(there[0], F_GETFD), 0);
	ck_assert_int_lt(fcntl(there[1], F_GETFD), 0);
	ck_assert_int_eq(chan_get(master, &msg, fds, &nfds), 1);
	ck_assert_int_eq(nfds, 2);
	for (i = 0; i < 2; i++) {
		ck_assert_int_eq(fcntl(fds[i], F_GETFD), FD_CLOEXEC);
		ck_assert_int_eq(write(fds[i], i == 0 ? "a" : "b", 1), 1);
		ck_assert_int_eq(read(here[i], &c, 1), 1);
		ck_assert_int_eq(c, i == 0 ? 'a' : 'b');
		fd_close(&fds[i]);
		ck_assert(is_eof(here[i]));
	}
}
END_TEST

START_TEST(the_most_descriptors_fit)
{
	struct rfk_msg msg = { .type = RFK_MSG_CONFIGURED };
	int fds[RFK_FDS_MAX], nfds, i;

	for (i = 0; i < RFK_FDS_MAX; i++) {
		fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
		ck_assert_int_ge(fds[i], 0);
	}
	ck_assert_int_eq(chan_put(master, &msg, fds, RFK_FDS_MAX), 0);
	ck_assert_int_eq(chan_get(mold, &msg, fds, &nfds), 1);
	ck_assert_int_eq(nfds, RFK_FDS_MAX);
	for (i = 0; i < nfds; i++)
		ck_assert_int_eq(fcntl(fds[i], F_GETFD), FD_CLOEXEC);
}
END_TEST

START_TEST(a_full_socket_queues_and_flush_sends_the_rest_in_order)
{
	struct rfk_msg msg;
	int fds[RFK_FDS_MAX], nfds, here[2], there[2];
	uint32_t put = 0, got = 0;

	while (!chan_pending(mold) || put % 8 != 0) {
		two_pipes(here, there);
		fd_close(&here[0]);
		fd_close(&here[1]);
		msg = msg_spawned(put++);
		ck_assert_int_eq(chan_put(mold, &msg, there, 2), 0);
	}
	ck_assert_int_eq(chan_flush(mold), -EAGAIN);
	while (got < put) {
		ck_assert_int_eq(chan_get(master, &msg, fds, &nfds), 1);
		ck_assert_uint_eq(msg.u.spawned.slot, got++);
		ck_assert_int_eq(nfds, 2);
		fd_close(&fds[0]);
		fd_close(&fds[1]);
		(void)chan_flush(mold);
	}
	ck_assert(!chan_pending(mold));
	ck_assert_int_eq(chan_flush(mold), 0);
	ck_assert_int_eq(chan_get(master, &msg, fds, &nfds), 0);
}
END_TEST

START_TEST(a_peer_that_reads_nothing_does_not_eat_memory)
{
	struct rfk_msg msg = { .type = RFK_MSG_REOPEN };
	int before = fd_count();
	int rc, n = 0;

	do
		rc = chan_put(master, &msg, NULL, 0);
	while (rc == 0 && ++n < 100000);
	ck_assert_int_eq(rc, -ENOBUFS);
	ck_assert_int_eq(fd_count(), before);
}
END_TEST

START_TEST(queued_descriptors_are_closed_with_the_channel)
{
	struct rfk_msg msg = msg_spawned(0);
	int here[2], there[2];

	do {
		two_pipes(here, there);
		ck_assert_int_eq(chan_put(mold, &msg, there, 2), 0);
		if (!chan_pending(mold)) {
			fd_close(&here[0]);
			fd_close(&here[1]);
		}
	} while (!chan_pending(mold));
	chan_close(mold);
	mold = NULL;
	ck_assert(is_eof(here[0]));
	ck_assert(is_eof(here[1]));
}
END_TEST

START_TEST(a_failed_put_closes_the_descriptors)
{
	struct rfk_msg none = { .type = RFK_MSG_NONE };
	struct rfk_msg msg = msg_spawned(0);
	int here[2], there[2];

	two_pipes(here, there);
	ck_assert_int_eq(chan_put(mold, &none, there, 2), -EINVAL);
	ck_assert(is_eof(here[0]));
	chan_close(master);
	master = NULL;
	two_pipes(here, there);
	ck_assert_int_eq(chan_put(mold, &msg, there, 2), -EPIPE);
	ck_assert(is_eof(here[0]));
	ck_assert(is_eof(here[1]));
}
END_TEST

static void *
put_later(void *unused)
{
	struct rfk_msg msg = msg_fork(0);

	(void)unused;
	ck_assert_int_eq(chan_put(master, &msg, NULL, 0), 0);
	return NULL;
}

START_TEST(wait_ends_at_a_message_at_the_time_and_at_the_end)
{
	struct rfk_msg msg;
	int fds[RFK_FDS_MAX], nfds;
	uint64_t until_ms = clock_ms() + 20;
	pthread_t thread;

	ck_assert_int_eq(chan_wait(mold, 0), 0);
	ck_assert_int_eq(chan_wait(mold, until_ms), 0);
	ck_assert_uint_ge(clock_ms(), until_ms);
	ck_assert_int_eq(pthread_create(&thread, NULL, put_later, NULL), 0);
	ck_assert_int_eq(chan_wait(mold, UINT64_MAX), 1);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_int_eq(chan_get(mold, &msg, fds, &nfds), 1);
	chan_close(master);
	master = NULL;
	ck_assert_int_eq(chan_wait(mold, UINT64_MAX), 1);
}
END_TEST

START_TEST(open_makes_any_socket_nonblocking_and_cloexec)
{
	int fds[2];
	struct chan *c;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	c = chan_open(fds[0], RFK_MASTER);
	ck_assert_ptr_nonnull(c);
	ck_assert_int_eq(chan_fd(c), fds[0]);
	ck_assert_int_eq(fcntl(fds[0], F_GETFD), FD_CLOEXEC);
	ck_assert_int_ne(fcntl(fds[0], F_GETFL) & O_NONBLOCK, 0);
	chan_close(c);
	ck_assert_ptr_null(chan_open(-1, RFK_MASTER));
	ck_assert_int_eq(errno, EBADF);
	chan_close(NULL);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("chan");
	TCase *tc = tcase_create("chan");

	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_message_arrives_once_and_in_order);
	tcase_add_test(tc, the_longest_tail_fits);
	tcase_add_test(tc, descriptors_travel_and_are_closed_by_the_sender);
	tcase_add_test(tc, the_most_descriptors_fit);
	tcase_add_test(
	    tc, a_full_socket_queues_and_flush_sends_the_rest_in_order);
	tcase_add_test(tc, a_peer_that_reads_nothing_does_not_eat_memory);
	tcase_add_test(tc, queued_descriptors_are_closed_with_the_channel);
	tcase_add_test(tc, a_failed_put_closes_the_descriptors);
	tcase_add_test(tc, wait_ends_at_a_message_at_the_time_and_at_the_end);
	tcase_add_test(tc, open_makes_any_socket_nonblocking_and_cloexec);
	return suite_run(suite);
}
