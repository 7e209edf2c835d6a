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
#include "ipc/wire.h"
#include "suite.h"

static struct chan *master, *mold;

static void
setup(void)
{
	int fds[2];

	ck_assert_int_eq(chan_pair(fds), 0);
	master = chan_open(fds[0], RFK_MOLD);
	mold = chan_open(fds[1], RFK_MASTER);
	ck_assert_ptr_nonnull(master);
	ck_assert_ptr_nonnull(mold);
}

static void
teardown(void)
{
	chan_close(master);
	chan_close(mold);
}

static struct rfk_msg
msg_fork(uint32_t slot)
{
	struct rfk_msg msg = { .type = RFK_MSG_FORK };

	msg.u.fork.slot = slot;
	return msg;
}

static struct rfk_msg
msg_spawned(uint32_t slot)
{
	struct rfk_msg msg = { .type = RFK_MSG_SPAWNED };

	msg.u.spawned.slot = slot;
	return msg;
}

/* Two ends of pipes, to be sent; their other ends stay here. */
static void
two_pipes(int here[2], int there[2])
{
	int i, p[2];

	for (i = 0; i < 2; i++) {
		ck_assert_int_eq(pipe(p), 0);
		here[i] = p[0];
		there[i] = p[1];
	}
}

static bool
is_eof(int fd)
{
	char c;

	return read(fd, &c, 1) == 0;
}

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

START_TEST(a_dead_peer_is_a_reset_after_its_last_words)
{
	struct rfk_msg msg = msg_fork(1);
	int fds[RFK_FDS_MAX], nfds;
	pid_t pid;

	/* A message that it never reads: the kernel resets our end for it. */
	ck_assert_int_eq(chan_put(master, &msg, NULL, 0), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		chan_close(master);
		msg.type = RFK_MSG_FAILED;
		msg.u.failed.exit_status = 7;
		_exit(chan_put(mold, &msg, NULL, 0) == 0 ? 0 : 1);
	}
	chan_close(mold);
	mold = NULL;
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert_int_eq(chan_get(master, &msg, fds, &nfds), 1);
	ck_assert_int_eq(msg.type, RFK_MSG_FAILED);
	ck_assert_int_eq(msg.u.failed.exit_status, 7);
	ck_assert_int_eq(chan_get(master, &msg, fds, &nfds), -ECONNRESET);
	ck_assert_int_eq(chan_get(master, &msg, fds, &nfds), -ECONNRESET);
	msg = msg_fork(2);
	ck_assert_int_eq(chan_put(master, &msg, NULL, 0), -EPIPE);
}
END_TEST

/* Raw bytes and descriptors to the master's end, past the encoder. */
static void
send_raw(const void *bytes, size_t len, int nfds)
{
	union {
		char space[CMSG_SPACE(sizeof(int) * 200)];
		struct cmsghdr align;
	} control;
	char copy[128];
	struct iovec iov = { copy, len };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *cmsg;
	int i, fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	memcpy(copy, bytes, len);
	memset(&control, 0, sizeof(control));
	mh.msg_control = &control;
	mh.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)nfds);
	cmsg = CMSG_FIRSTHDR(&mh);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)nfds);
	for (i = 0; i < nfds; i++)
		memcpy(
		    CMSG_DATA(cmsg) + (size_t)i * sizeof(int), &fd, sizeof(fd));
	ck_assert_int_eq(sendmsg(chan_fd(mold), &mh, 0), (int)len);
	fd_close(&fd);
}

START_TEST(a_peer_that_breaks_the_protocol_is_told_and_leaks_nothing)
{
	struct rfk_msg msg = msg_spawned(0);
	char good[WIRE_MAX];
	int len = wire_encode(&msg, good, sizeof(good));
	int fds[RFK_FDS_MAX], nfds, before = fd_count();
	/* One too few, one too many, more than a message may carry. */
	static const int counts[] = { 1, 3, RFK_FDS_MAX, RFK_FDS_MAX + 1, 200 };
	size_t i;

	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		send_raw(good, (size_t)len, counts[i]);
		ck_assert_int_eq(chan_get(master, &msg, fds, &nfds), -EPROTO);
		ck_assert_int_eq(nfds, 0);
		ck_assert_int_eq(fd_count(), before);
	}
	send_raw("junk", 4, 2);
	ck_assert_int_eq(chan_get(master, &msg, fds, &nfds), -EPROTO);
	ck_assert_int_eq(fd_count(), before);
}
END_TEST

START_TEST(a_message_longer_than_any_is_refused)
{
	static char huge[WIRE_MAX + 1];
	struct rfk_msg msg;
	int fds[RFK_FDS_MAX], nfds;

	ck_assert_int_eq(
	    send(chan_fd(mold), huge, sizeof(huge), 0), (int)sizeof(huge));
	ck_assert_int_eq(chan_get(master, &msg, fds, &nfds), -EPROTO);
}
END_TEST

START_TEST(descriptors_that_do_not_fit_into_the_process_are_an_error)
{
	struct rfk_msg msg = msg_spawned(0);
	int here[2], there[2], fds[RFK_FDS_MAX], nfds;
	struct rlimit limit, tight;

	two_pipes(here, there);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert_int_eq(chan_put(mold, &msg, there, 2), 0);
	tight = limit;
	tight.rlim_cur = (rlim_t)there[0] + 1;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &tight), 0);
	ck_assert_int_eq(chan_get(master, &msg, fds, &nfds), -EPROTO);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert(is_eof(here[0]));
	ck_assert(is_eof(here[1]));
}
END_TEST

START_TEST(the_senders_role_can_change)
{
	struct rfk_msg msg = { .type = RFK_MSG_EXITING };
	int fds[RFK_FDS_MAX], nfds;

	ck_assert_int_eq(chan_put(mold, &msg, NULL, 0), 0);
	ck_assert_int_eq(chan_get(master, &msg, fds, &nfds), -EPROTO);
	chan_from(master, RFK_WORKER);
	msg.type = RFK_MSG_EXITING;
	ck_assert_int_eq(chan_put(mold, &msg, NULL, 0), 0);
	ck_assert_int_eq(chan_get(master, &msg, fds, &nfds), 1);
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
	tcase_add_test(tc, a_dead_peer_is_a_reset_after_its_last_words);
	tcase_add_test(
	    tc, a_peer_that_breaks_the_protocol_is_told_and_leaks_nothing);
	tcase_add_test(tc, a_message_longer_than_any_is_refused);
	tcase_add_test(
	    tc, descriptors_that_do_not_fit_into_the_process_are_an_error);
	tcase_add_test(tc, the_senders_role_can_change);
	tcase_add_test(tc, wait_ends_at_a_message_at_the_time_and_at_the_end);
	tcase_add_test(tc, open_makes_any_socket_nonblocking_and_cloexec);
	return suite_run(suite);
}
