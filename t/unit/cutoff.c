/* cutoff.c - the last call of a listener: what the kernel does then. */
#include "base/cutoff.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/backlog.h"
#include "base/fd.h"
#include "suite.h"

static struct sockaddr_storage at;
static socklen_t at_len;
static int listener;

static void
listen_at(void)
{
	int deferred = 1;

	listener =
	    socket(at.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	ck_assert_int_ge(listener, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&at, at_len), 0);
	if (at.ss_family == AF_INET)
		(void)setsockopt(listener, IPPROTO_TCP, TCP_DEFER_ACCEPT,
		    &deferred, (socklen_t)sizeof(deferred));
	ck_assert_int_eq(listen(listener, 16), 0);
	at_len = (socklen_t)sizeof(at);
	ck_assert_int_eq(
	    getsockname(listener, (struct sockaddr *)&at, &at_len), 0);
}

static void
tcp(void)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&at;

	in->sin_family = AF_INET;
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	at_len = (socklen_t)sizeof(*in);
	listen_at();
}

/* In the abstract namespace: no file is left. */
static void
local(void)
{
	struct sockaddr_un *un = (struct sockaddr_un *)&at;

	un->sun_family = AF_UNIX;
	at_len = (socklen_t)sizeof(sa_family_t); /* the kernel names it */
	listen_at();
}

/* A connected client; *error as a connect of at most 200 ms ends. */
static int
client(int *error)
{
	int fd =
	    socket(at.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };
	socklen_t len = (socklen_t)sizeof(*error);

	*error = 0;
	if (connect(fd, (struct sockaddr *)&at, at_len) == 0)
		return fd;
	*error = errno;
	if (errno != EINPROGRESS)
		return fd;
	*error = ETIMEDOUT;
	if (poll(&pfd, 1, 200) == 1)
		(void)getsockopt(fd, SOL_SOCKET, SO_ERROR, error, &len);
	return fd;
}

static int
connected(void)
{
	int error;
	int fd = client(&error);

	ck_assert_int_eq(error, 0);
	return fd;
}

static int
refusal(void)
{
	int error;
	int fd = client(&error);

	fd_close(&fd);
	return error;
}

static void
say(int fd)
{
	ck_assert_int_eq((int)send(fd, "x", 1, MSG_NOSIGNAL), 1);
}

static void
accepted_and_heard(void)
{
	struct pollfd pfd = { .fd = listener, .events = POLLIN };
	char byte;
	int fd;

	ck_assert_int_eq(poll(&pfd, 1, 1000), 1);
	fd = accept(listener, NULL, NULL);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq((int)recv(fd, &byte, 1, 0), 1);
	fd_close(&fd);
}

static void
nobody_waits(void)
{
	ck_assert_int_lt(accept(listener, NULL, NULL), 0);
	ck_assert(errno == EAGAIN || errno == EINVAL);
}

START_TEST(an_open_listener_is_not_cut_off)
{
	_i == 0 ? tcp() : local();
	ck_assert(!cutoff_begun(listener));
	say(connected());
	accepted_and_heard();
}
END_TEST

START_TEST(who_is_queued_is_accepted_and_nobody_else)
{
	int copy, i;

	_i == 0 ? tcp() : local();
	copy = dup(listener);
	for (i = 0; i < 3; i++)
		say(connected());
	ck_assert_int_eq(cutoff_begin(listener), 0);
	ck_assert(cutoff_begun(copy));
	ck_assert_int_eq(refusal(), _i == 0 ? ETIMEDOUT : ECONNREFUSED);
	cutoff_end_if_empty(listener); /* it is not */
	for (i = 0; i < 3; i++)
		accepted_and_heard();
	nobody_waits();
	cutoff_end_if_empty(listener);
	ck_assert_int_eq(refusal(), ECONNREFUSED);
	nobody_waits();
}
END_TEST

START_TEST(a_client_that_has_not_spoken_yet_is_not_lost)
{
	int fd;

	tcp();
	fd = connected(); /* deferred: the kernel waits for its first byte */
	ck_assert_int_eq(cutoff_begin(listener), 0);
	nobody_waits();
	say(fd);
	accepted_and_heard();
}
END_TEST

START_TEST(only_unix_is_sharp)
{
	_i == 0 ? tcp() : local();
	ck_assert_int_eq(cutoff_is_sharp(listener), _i == 1);
}
END_TEST

START_TEST(begun_twice_is_begun)
{
	_i == 0 ? tcp() : local();
	say(connected());
	ck_assert_int_eq(cutoff_begin(listener), 0);
	ck_assert_int_eq(cutoff_begin(listener), 0);
	accepted_and_heard();
}
END_TEST

START_TEST(an_announced_one_takes_unix_clients_still)
{
	_i == 0 ? tcp() : local();
	say(connected());
	ck_assert_int_eq(cutoff_announce(listener), 0);
	ck_assert(cutoff_begun(listener));
	ck_assert_int_eq(refusal(), _i == 0 ? ETIMEDOUT : 0);
	accepted_and_heard();
}
END_TEST

START_TEST(who_is_queued_is_counted)
{
	struct pollfd pfd = { .events = POLLIN };
	int left;

	_i == 0 ? tcp() : local();
	ck_assert_int_eq(backlog_length(listener), 0);
	for (left = 0; left < 3; left++)
		say(connected());
	pfd.fd = listener;
	ck_assert_int_eq(poll(&pfd, 1, 1000), 1);
	ck_assert_int_eq(backlog_length(listener), 3);
	ck_assert_int_eq(cutoff_begin(listener), 0);
	for (left = 3; left > 0; left--) {
		ck_assert_int_eq(backlog_length(listener), left);
		accepted_and_heard();
	}
	ck_assert_int_eq(backlog_length(listener), 0);
}
END_TEST

START_TEST(what_is_no_socket_has_no_queue)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_lt(backlog_length(fd), 0);
	fd_close(&fd);
	ck_assert_int_lt(backlog_length(fd), 0);
}
END_TEST

START_TEST(a_port_is_free_again_while_a_copy_is_open)
{
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	tcp();
	(void)setsockopt(
	    listener, SOL_SOCKET, SO_REUSEADDR, &one, (socklen_t)sizeof(one));
	(void)setsockopt(
	    fd, SOL_SOCKET, SO_REUSEADDR, &one, (socklen_t)sizeof(one));
	ck_assert_int_eq(cutoff_begin(listener), 0);
	cutoff_end_if_empty(listener);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, at_len), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("cutoff");
	TCase *tc = tcase_create("cutoff");

	tcase_add_loop_test(tc, an_open_listener_is_not_cut_off, 0, 2);
	tcase_add_loop_test(
	    tc, who_is_queued_is_accepted_and_nobody_else, 0, 2);
	tcase_add_test(tc, a_client_that_has_not_spoken_yet_is_not_lost);
	tcase_add_loop_test(tc, only_unix_is_sharp, 0, 2);
	tcase_add_loop_test(tc, begun_twice_is_begun, 0, 2);
	tcase_add_loop_test(
	    tc, an_announced_one_takes_unix_clients_still, 0, 2);
	tcase_add_loop_test(tc, who_is_queued_is_counted, 0, 2);
	tcase_add_test(tc, what_is_no_socket_has_no_queue);
	tcase_add_test(tc, a_port_is_free_again_while_a_copy_is_open);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
