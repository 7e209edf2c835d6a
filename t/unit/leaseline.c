/*
 * leaseline.c - messages about leases, good and hostile; and the datagrams with
 * descriptors in which they travel.
 */
#include "base/leaseline.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/rights.h"
#include "suite.h"

static struct leaseline line;
static struct fail why;
static char bytes[2 * LEASELINE_MAX];

static int
parse_bytes(const char *text, size_t len, int nfds, enum leaseline_sender from)
{
	memset(&why, 0, sizeof(why));
	memcpy(bytes, text, len);
	return leaseline_parse(&line, bytes, len, nfds, from, &why);
}

static int
client(const char *text, int nfds)
{
	return parse_bytes(text, strlen(text), nfds, LEASELINE_CLIENT);
}

START_TEST(good_messages_are_read)
{
	uint64_t n;

	ck_assert_int_eq(client("LEASE", 0), 0);
	ck_assert_int_eq(line.verb, LEASELINE_LEASE);
	ck_assert_str_eq(leaseline_text(&line, "pool"), "");
	ck_assert_int_eq(
	    client("LEASE pool=lsp root=/a%20b fds=stdin,stdout\n", 2), 0);
	ck_assert_str_eq(leaseline_text(&line, "root"), "/a b");
	ck_assert_int_eq(client("RELEASE id=17 within=5 signal=INT", 0), 0);
	ck_assert_int_eq(leaseline_count(&line, "id", UINT64_MAX, &n), 0);
	ck_assert_uint_eq(n, 17);
	ck_assert_int_eq(leaseline_count(&line, "x", 9, &n), -ENOENT);
	ck_assert_int_eq(client("STAT pool=a", 0), 0);
	ck_assert_int_eq(
	    parse_bytes("EXITED id=1 status=0", 20, 0, LEASELINE_SERVER), 0);
	ck_assert_str_eq(leaseline_name(line.verb), "EXITED");
}
END_TEST

static const struct {
	const char *text;
	int nfds;
} bad[] = {
	{ "", 0 },
	{ "\n", 0 },
	{ "FROB id=1", 0 },
	{ "lease", 0 },
	{ "LEASED id=1 pid=1 gen=1 mold=1 ms=1", 1 }, /* the server's */
	{ "EXITED id=1", 0 },
	{ "LEASE pool", 0 },
	{ "LEASE =x", 0 },
	{ "LEASE Pool=x", 0 },
	{ "LEASE 1a=x", 0 },
	{ "LEASE a-b=x", 0 },
	{ "LEASE abcdefghijklmnopqrstuvwxyzabcdefg=x", 0 },
	{ "LEASE pool=a pool=b", 0 },
	{ "LEASE pool=%", 0 },
	{ "LEASE pool=%4", 0 },
	{ "LEASE pool=%zz", 0 },
	{ "LEASE pool=%00", 0 },
	{ "LEASE pool=a\nLEASE pool=b", 0 },
	{ "LEASE\tpool=a", 0 },
	{ "LEASE", 6 },
	{ "RELEASE", 0 },
	{ "RELEASE pool=a", 0 },
	{ "RELEASE id=1 pool=a", 0 },
	{ "RELEASE id=1", 1 },
	{ "SIGNAL id=1", 0 },
	{ "STAT id=1", 0 },
};

START_TEST(bad_messages_are_refused_with_a_reason)
{
	ck_assert_int_eq(client(bad[_i].text, bad[_i].nfds), -EPROTO);
	ck_assert_str_ne(why.text, "");
}
END_TEST

START_TEST(a_zero_byte_or_too_much_is_refused)
{
	static char text[LEASELINE_MAX + 1];
	int i;

	ck_assert_int_eq(
	    parse_bytes("STAT\0pool=a", 11, 0, LEASELINE_CLIENT), -EPROTO);
	memset(text, 'a', sizeof(text));
	memcpy(text, "LEASE pool=", 11);
	ck_assert_int_eq(
	    parse_bytes(text, LEASELINE_MAX, 0, LEASELINE_CLIENT), -EPROTO);
	ck_assert_int_eq(
	    parse_bytes(text, LEASELINE_MAX - 1, 0, LEASELINE_CLIENT), 0);
	memcpy(text, "LEASE", 5);
	for (i = 5; i + 4 < LEASELINE_MAX - 1; i += 4)
		memcpy(text + i, " x=1", 4);
	ck_assert_int_eq(
	    parse_bytes(text, (size_t)i, 0, LEASELINE_CLIENT), -EPROTO);
}
END_TEST

START_TEST(numbers_are_whole_and_in_bounds)
{
	static const char *const wrong[] = { "", "-1", "+1", "1.0", "0x1", " 1",
		"18446744073709551616", "99999999999999999999999", "256" };
	char text[64];
	uint64_t n;
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		snprintf(text, sizeof(text), "LEASE gen=%s%s",
		    wrong[i][0] == ' ' ? "%20" : "", wrong[i]);
		if (wrong[i][0] == ' ')
			snprintf(text, sizeof(text), "LEASE gen=%%201");
		ck_assert_int_eq(client(text, 0), 0);
		ck_assert_int_eq(
		    leaseline_count(&line, "gen", 255, &n), -EPROTO);
	}
	ck_assert_int_eq(client("LEASE gen=255", 0), 0);
	ck_assert_int_eq(leaseline_count(&line, "gen", 255, &n), 0);
	ck_assert_uint_eq(n, 255);
	ck_assert_int_eq(client("RELEASE id=18446744073709551615", 0), 0);
	ck_assert_int_eq(leaseline_count(&line, "id", UINT64_MAX, &n), 0);
	ck_assert_uint_eq(n, UINT64_MAX);
}
END_TEST

START_TEST(descriptors_are_what_the_message_says)
{
	static const struct {
		const char *fds;
		int nfds;
	} wrong[] = { { "stdin", 1 }, { "stdout", 1 }, { "stdin,stdout", 1 },
		{ "stdin,stdout", 3 }, { "stdin,stdin", 2 }, { "frob", 1 },
		{ "stdin,,stdout", 2 }, { ",", 0 }, { "stdin,stdout,", 2 },
		{ "cwd,args,stderr", 4 }, { "", 1 },
		{ "stdin,stdout,stderr,cwd,args,stdin,stdout,stderr,cwd,args,x",
		    5 } };
	int place[LEASELINE_FDS_MAX];
	char text[128];
	size_t i;

	ck_assert_int_eq(client("LEASE fds=cwd,stdin,stdout,args", 4), 0);
	ck_assert_int_eq(leaseline_places(&line, 4, place, &why), 0);
	ck_assert_int_eq(place[LEASELINE_CWD], 0);
	ck_assert_int_eq(place[LEASELINE_STDIN], 1);
	ck_assert_int_eq(place[LEASELINE_STDOUT], 2);
	ck_assert_int_eq(place[LEASELINE_ARGS], 3);
	ck_assert_int_eq(place[LEASELINE_STDERR], -1);
	ck_assert_int_eq(client("LEASE", 0), 0);
	ck_assert_int_eq(leaseline_places(&line, 0, place, &why), 0);
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		snprintf(text, sizeof(text), "LEASE fds=%s", wrong[i].fds);
		ck_assert_int_eq(client(text, wrong[i].nfds), 0);
		ck_assert_msg(leaseline_places(
				  &line, wrong[i].nfds, place, &why) == -EPROTO,
		    "accepted: %s", wrong[i].fds);
		ck_assert_str_ne(why.text, "");
	}
}
END_TEST

START_TEST(signals_have_names_both_ways)
{
	char out[16];

	ck_assert_int_eq(leaseline_signal("TERM"), SIGTERM);
	ck_assert_int_eq(leaseline_signal("SIGWINCH"), SIGWINCH);
	ck_assert_int_eq(leaseline_signal("term"), -EINVAL);
	ck_assert_int_eq(leaseline_signal("9"), -EINVAL);
	ck_assert_int_eq(leaseline_signal(""), -EINVAL);
	ck_assert_str_eq(
	    leaseline_signal_name(SIGKILL, out, sizeof(out)), "KILL");
	ck_assert_str_eq(leaseline_signal_name(63, out, sizeof(out)), "63");
}
END_TEST

START_TEST(descriptors_travel_and_what_is_cut_is_said)
{
	int pair[2], fds[RIGHTS_MAX], got[RIGHTS_MAX], n = -1, i;
	int before;
	char in[8];

	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	before = fd_count();
	for (i = 0; i < RIGHTS_MAX; i++)
		fds[i] = 0;
	ck_assert_int_eq(
	    (int)rights_recv(pair[1], in, sizeof(in), got, &n), -EAGAIN);
	ck_assert_int_eq(rights_send(pair[0], "abc", 3, fds, 2), 0);
	ck_assert_int_eq((int)rights_recv(pair[1], in, sizeof(in), got, &n), 3);
	ck_assert_int_eq(n, 2);
	ck_assert_int_ne(fcntl(got[0], F_GETFD) & FD_CLOEXEC, 0);
	rights_close(got, n);
	ck_assert_int_eq(
	    rights_send(pair[0], "too long for it", 15, fds, RIGHTS_MAX), 0);
	ck_assert_int_eq(
	    (int)rights_recv(pair[1], in, sizeof(in), got, &n), -EPROTO);
	rights_close(got, n);
	ck_assert_int_eq(fd_count(), before);
	fd_close(&pair[0]);
	ck_assert_int_eq((int)rights_recv(pair[1], in, sizeof(in), got, &n), 0);
	ck_assert_int_eq(rights_send(pair[1], "a", 1, NULL, 0), -EPIPE);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("leaseline");
	TCase *t = tcase_create("messages");

	tcase_add_test(t, good_messages_are_read);
	tcase_add_loop_test(t, bad_messages_are_refused_with_a_reason, 0,
	    sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(t, a_zero_byte_or_too_much_is_refused);
	tcase_add_test(t, numbers_are_whole_and_in_bounds);
	tcase_add_test(t, descriptors_are_what_the_message_says);
	tcase_add_test(t, signals_have_names_both_ways);
	tcase_add_test(t, descriptors_travel_and_what_is_cut_is_said);
	suite_add_tcase(suite, t);
	return suite_run(suite);
}
