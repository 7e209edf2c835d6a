/*
 * settings_list.c - settings that come more than once: listeners, and the
 * numbers of refork_after.
 */
#include <reforkd/settings.h>

#include <check.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "settings_table.h"
#include "suite.h"

START_TEST(a_listener_has_unicorns_defaults)
{
	const struct rfk_listen *l;

	ck_assert_int_eq(decode("listen=127.0.0.1:80"), 0);
	ck_assert_uint_eq(table.listens, 1);
	l = &table.listen[0];
	ck_assert_str_eq(l->address, "127.0.0.1:80");
	ck_assert_int_eq(l->backlog, 1024);
	ck_assert_int_eq(l->tcp_nodelay, 1);
	ck_assert_int_eq(l->tcp_nopush, -1);
	ck_assert_int_eq(l->tcp_defer_accept, 1);
	ck_assert_int_eq(l->ipv6only, -1);
	ck_assert_int_eq(l->reuseport, -1);
	ck_assert_int_eq(l->rcvbuf, -1);
	ck_assert_int_eq(l->sndbuf, -1);
	ck_assert_int_eq(l->umask, 0);
	ck_assert_int_eq(l->tries, 5);
	ck_assert_int_eq(l->delay_ms, 500);
}
END_TEST

START_TEST(listeners_keep_their_order_and_their_options)
{
	const struct rfk_listen *l;

	ck_assert_int_eq(decode("listen=[::1]:80\tbacklog=7\ttcp_nodelay=0"
				"\ttcp_nopush=1\ttcp_defer_accept=0"
				"\tipv6only=1\treuseport=1\trcvbuf=4096"
				"\tsndbuf=8192\ttries=-1\tdelay_ms=0"),
	    0);
	ck_assert_int_eq(decode("listen=/run/a b=c.sock\tumask=63"), 0);
	ck_assert_uint_eq(table.listens, 2);
	l = &table.listen[0];
	ck_assert_str_eq(l->address, "[::1]:80");
	ck_assert_int_eq(l->backlog, 7);
	ck_assert_int_eq(l->tcp_nodelay, 0);
	ck_assert_int_eq(l->tcp_nopush, 1);
	ck_assert_int_eq(l->tcp_defer_accept, 0);
	ck_assert_int_eq(l->ipv6only, 1);
	ck_assert_int_eq(l->reuseport, 1);
	ck_assert_int_eq(l->rcvbuf, 4096);
	ck_assert_int_eq(l->sndbuf, 8192);
	ck_assert_int_eq(l->tries, -1);
	ck_assert_int_eq(l->delay_ms, 0);
	ck_assert_str_eq(table.listen[1].address, "/run/a b=c.sock");
	ck_assert_int_eq(table.listen[1].umask, 077);
}
END_TEST

START_TEST(each_row_and_listener_knows_its_place)
{
	ck_assert_str_eq(settings_place(&table, RFK_SET_pid), "");
	ck_assert_int_eq(decode("pid=/p"), 0);
	ck_assert_int_eq(decode("place=pid\tconf.rb:3"), 0);
	ck_assert_str_eq(settings_place(&table, RFK_SET_pid), "conf.rb:3");
	ck_assert_str_eq(settings_name(RFK_SET_pid), "pid");
	ck_assert_str_eq(settings_place(&table, RFK_SET_control), "");
	ck_assert_int_eq(decode("listen=:80\tplace=a=b c:4\tbacklog=2"), 0);
	ck_assert_str_eq(table.listen[0].place, "a=b c:4");
	ck_assert_int_eq(table.listen[0].backlog, 2);
	ck_assert_int_eq(decode("listen=:81"), 0);
	ck_assert_str_eq(table.listen[1].place, "");
}
END_TEST

START_TEST(one_listener_too_many_is_refused)
{
	int i;

	for (i = 0; i < RFK_LISTENERS_MAX; i++)
		ck_assert_int_eq(decode("listen=0.0.0.0:80\tbacklog=5"), 0);
	ck_assert_int_eq(decode("listen=0.0.0.0:80"), -EPROTO);
	ck_assert_str_eq(why, "listen: more than 128");
}
END_TEST

START_TEST(refork_after_is_a_list_whose_last_number_repeats)
{
	ck_assert_int_eq(decode("refork_after=500,1000,2000"), 0);
	ck_assert_uint_eq(table.refork_afters, 3);
	ck_assert_int_eq(settings_refork_limit(&table, 0), 500);
	ck_assert_int_eq(settings_refork_limit(&table, 1), 1000);
	ck_assert_int_eq(settings_refork_limit(&table, 2), 2000);
	ck_assert_int_eq(settings_refork_limit(&table, UINT32_MAX), 2000);
	ck_assert_int_eq(decode("refork_after=50,false"), 0);
	ck_assert_int_eq(settings_refork_limit(&table, 0), 50);
	ck_assert_int_eq(settings_refork_limit(&table, 1), 0);
	ck_assert_int_eq(settings_refork_limit(&table, 9), 0);
	ck_assert_int_eq(decode("refork_after=50,0"), 0);
	ck_assert_int_eq(settings_refork_limit(&table, 1), 0);
	ck_assert_int_eq(decode("refork_after="), 0);
	ck_assert_int_eq(settings_refork_limit(&table, 0), 0);
}
END_TEST

START_TEST(a_refork_after_that_is_too_long_is_refused)
{
	struct buf b = BUF_INIT;
	int i;

	(void)buf_puts(&b, "refork_after=1");
	for (i = 1; i < RFK_REFORK_AFTER_MAX; i++)
		(void)buf_puts(&b, ",1");
	ck_assert_int_eq(decode(buf_cstr(&b)), 0);
	(void)buf_puts(&b, ",1");
	ck_assert_int_eq(decode(buf_cstr(&b)), -EPROTO);
	buf_fini(&b);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("settings_list");
	TCase *tc = tcase_create("settings_list");

	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_listener_has_unicorns_defaults);
	tcase_add_test(tc, listeners_keep_their_order_and_their_options);
	tcase_add_test(tc, each_row_and_listener_knows_its_place);
	tcase_add_test(tc, one_listener_too_many_is_refused);
	tcase_add_test(tc, refork_after_is_a_list_whose_last_number_repeats);
	tcase_add_test(tc, a_refork_after_that_is_too_long_is_refused);
	return suite_run(suite);
}
