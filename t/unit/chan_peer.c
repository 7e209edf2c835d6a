/*
 * chan_peer.c - a peer that dies, breaks the protocol, or changes its role.
 */
#include "ipc/chan.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "chan_ends.h"
#include "ipc/wire.h"
#include "suite.h"

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

int
main(void)
{
	Suite *suite = suite_create("chan_peer");
	TCase *tc = tcase_create("chan_peer");

	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_dead_peer_is_a_reset_after_its_last_words);
	tcase_add_test(
	    tc, a_peer_that_breaks_the_protocol_is_told_and_leaks_nothing);
	tcase_add_test(tc, a_message_longer_than_any_is_refused);
	tcase_add_test(
	    tc, descriptors_that_do_not_fit_into_the_process_are_an_error);
	tcase_add_test(tc, the_senders_role_can_change);
	return suite_run(suite);
}
