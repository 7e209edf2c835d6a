/*
 * settings.c - what the mold may say about itself, and each mistake in it.
 */
#include <reforkd/settings.h>

#include <check.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "suite.h"

static struct rfk_settings_table table;
static char why[200];

/* Numbers and texts behind one face, so that every row is tried alike. */
enum kind { COUNT, MS, SIZE, FLAG, TEXT };
struct row {
	const char *name;
	enum kind kind;
	size_t offset;
	int64_t min, max;
};

static const struct row rows[] = {
#define SETTING(name, kind, fallback, min, max)                                \
	{ #name, kind, offsetof(struct rfk_settings_table, name), (min),       \
		(max) },
#include <reforkd/settings.def>
#undef SETTING
};

#define ROWS (int)(sizeof(rows) / sizeof(rows[0]))

static int64_t
number(const struct row *row)
{
	int64_t n;

	memcpy(&n, (char *)&table + row->offset, sizeof(n));
	return n;
}

static const char *
text(const struct row *row)
{
	const char *s;

	memcpy(&s, (char *)&table + row->offset, sizeof(s));
	return s;
}

static void
setup(void)
{
	ck_assert_int_eq(settings_init(&table), 0);
	memset(why, 0, sizeof(why));
}

static void
teardown(void)
{
	settings_fini(&table);
}

/* One entry with its NUL, copied so that a sanitizer sees its end. */
static int
decode(const char *entry)
{
	size_t len = strlen(entry) + 1;
	char *copy = malloc(len);
	int rc;

	memcpy(copy, entry, len);
	rc = settings_decode(&table, copy, len, why, sizeof(why));
	free(copy);
	return rc;
}

static int
decode_number(const struct row *row, int64_t n)
{
	char entry[100];

	(void)snprintf(entry, sizeof(entry), "%s=%" PRId64, row->name, n);
	return decode(entry);
}

static int
decode_text(const struct row *row, size_t len)
{
	struct buf b = BUF_INIT;
	int rc;

	ck_assert_int_eq(buf_printf(&b, "%s=", row->name), 0);
	while (len-- > 0)
		ck_assert_int_eq(buf_put(&b, "x", 1), 0);
	rc = decode(buf_cstr(&b));
	buf_fini(&b);
	return rc;
}

START_TEST(a_fresh_table_has_the_defaults)
{
	ck_assert_int_eq(table.worker_processes, 1);
	ck_assert_int_eq(table.timeout, 60000);
	ck_assert_int_eq(table.umask, -1);
	ck_assert_str_eq(table.pid, "");
	ck_assert_uint_eq(table.listens, 0);
	ck_assert_uint_eq(table.refork_afters, 0);
	ck_assert_int_eq(table.personality, RFK_NATIVE);
}
END_TEST

START_TEST(every_setting_takes_its_least_and_its_most)
{
	const struct row *row = &rows[_i];

	if (row->kind == TEXT) {
		ck_assert_int_eq(decode_text(row, (size_t)row->max), 0);
		ck_assert_uint_eq(strlen(text(row)), (size_t)row->max);
		ck_assert_int_eq(decode_text(row, (size_t)row->min), 0);
		ck_assert_uint_eq(strlen(text(row)), (size_t)row->min);
		return;
	}
	ck_assert_int_eq(decode_number(row, row->min), 0);
	ck_assert_int_eq(number(row), row->min);
	ck_assert_int_eq(decode_number(row, row->max), 0);
	ck_assert_int_eq(number(row), row->max);
}
END_TEST

START_TEST(every_setting_refuses_one_less_and_one_more)
{
	const struct row *row = &rows[_i];

	if (row->kind == TEXT) {
		ck_assert_int_eq(
		    decode_text(row, (size_t)row->max + 1), -EPROTO);
	} else {
		ck_assert_int_eq(decode_number(row, row->min - 1), -EPROTO);
		ck_assert_int_eq(decode_number(row, row->max + 1), -EPROTO);
	}
	ck_assert_ptr_eq(strstr(why, row->name), why);
}
END_TEST

START_TEST(no_number_takes_anything_but_digits)
{
	static const char *const wrong[] = { "", " 1", "+1", "1 ", "1x", "0x1",
		"1.0", "-", "--1", "99999999999999999999",
		"000000000000000000000000000001", "1\n" };
	const struct row *row = &rows[_i];
	char entry[100];
	size_t i;

	if (row->kind == TEXT)
		return;
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		(void)snprintf(
		    entry, sizeof(entry), "%s=%s", row->name, wrong[i]);
		ck_assert_msg(decode(entry) == -EPROTO, "taken: %s", entry);
		ck_assert_ptr_eq(strstr(why, row->name), why);
	}
}
END_TEST

START_TEST(a_whole_block_comes_back_as_it_was)
{
	struct buf block = BUF_INIT;
	int i;

	for (i = 0; i < ROWS; i++) {
		const struct row *row = &rows[i];

		if (row->kind == TEXT)
			(void)buf_printf(
			    &block, "%s=<%.8s>", row->name, row->name);
		else
			(void)buf_printf(
			    &block, "%s=%" PRId64, row->name, row->max);
		(void)buf_put(&block, "", 1);
	}
	ck_assert_int_eq(
	    settings_decode(&table, block.data, block.len, why, sizeof(why)),
	    0);
	for (i = 0; i < ROWS; i++) {
		char want[12];

		(void)snprintf(want, sizeof(want), "<%.8s>", rows[i].name);
		if (rows[i].kind == TEXT)
			ck_assert_str_eq(text(&rows[i]), want);
		else
			ck_assert_int_eq(number(&rows[i]), rows[i].max);
	}
	buf_fini(&block);
}
END_TEST

START_TEST(a_text_may_hold_anything_but_nul)
{
	ck_assert_int_eq(decode("pid=a=b\t\n\xc3\xa4"), 0);
	ck_assert_str_eq(table.pid, "a=b\t\n\xc3\xa4");
}
END_TEST

START_TEST(an_empty_block_changes_nothing)
{
	ck_assert_int_eq(settings_decode(&table, "", 0, why, sizeof(why)), 0);
	ck_assert_int_eq(table.timeout, 60000);
}
END_TEST

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

static const struct {
	const char *entry, *why;
} mistakes[] = {
	{ "", "\"\" has no value" },
	{ "timeout", "\"timeout\" has no value" },
	{ "=1", "unknown setting \"\"" },
	{ "timeou=1", "unknown setting \"timeou\"" },
	{ "timeouts=1", "unknown setting \"timeouts\"" },
	{ "Timeout=1", "unknown setting \"Timeout\"" },
	{ "timeout=0", "timeout: 0 is not between 1 and 2592000000" },
	{ "timeout=soon", "timeout: \"soon\" is no number" },
	{ "yjit=true", "yjit: \"true\" is no number" },
	{ "yjit=2", "yjit: 2 is not between 0 and 1" },
	{ "place=pid", "place: \"pid\" is no setting's" },
	{ "place=nope\tc.rb:1", "place: \"nope\tc.rb:1\" is no setting's" },
	{ "listen=", "listen: no address" },
	{ "listen=\tbacklog=1", "listen: no address" },
	{ "listen=:80\t", "listen :80: \"\" is no option" },
	{ "listen=:80\tbacklog", "listen :80: \"backlog\" is no option" },
	{ "listen=:80\tbacklog=", "listen :80: backlog: \"\" is not between -1 "
				  "and 2147483647" },
	{ "listen=:80\tbacklog=2147483648",
	    "listen :80: backlog: \"2147483648\" is not between -1 and "
	    "2147483647" },
	{ "listen=:80\tipv6only=2",
	    "listen :80: ipv6only: \"2\" is not between -1 and 1" },
	{ "listen=:80\tumask=512",
	    "listen :80: umask: \"512\" is not between 0 and 511" },
	{ "listen=:80\tcolour=1", "listen :80: unknown option \"colour\"" },
	{ "refork_after=1,,2", "refork_after: \"\" is neither a number of "
			       "requests nor false" },
	{ "refork_after=1,", "refork_after: \"\" is neither a number of "
			     "requests nor false" },
	{ "refork_after=-1", "refork_after: \"-1\" is neither a number of "
			     "requests nor false" },
	{ "refork_after=never", "refork_after: \"never\" is neither a number "
				"of requests nor false" },
};

START_TEST(a_mistake_is_named)
{
	ck_assert_int_eq(decode(mistakes[_i].entry), -EPROTO);
	ck_assert_str_eq(why, mistakes[_i].why);
}
END_TEST

START_TEST(a_block_that_ends_without_nul_is_refused)
{
	static const char block[] = "timeout=5\0pid=/a";
	size_t n;

	for (n = 1; n < sizeof(block) - 1; n++) {
		if (n == sizeof("timeout=5"))
			continue;
		ck_assert_int_eq(
		    settings_decode(&table, block, n, why, sizeof(why)),
		    -EPROTO);
		ck_assert_ptr_eq(strstr(why, "cut off at"), why);
	}
}
END_TEST

START_TEST(the_reason_fits_into_any_buffer)
{
	char small[5] = "????";

	ck_assert_int_eq(settings_decode(&table, "x=1", 4, small, 4), -EPROTO);
	ck_assert_str_eq(small, "unk");
	ck_assert_int_eq(settings_decode(&table, "x=1", 4, NULL, 0), -EPROTO);
}
END_TEST

START_TEST(derived_values_follow_their_rules)
{
	ck_assert_int_eq(settings_soft_ms(&table), 58000);
	ck_assert_int_eq(settings_drain_ms(&table), 65000);
	table.timeout = 1000;
	ck_assert_int_eq(settings_soft_ms(&table), 900);
	table.timeout = 1;
	ck_assert_int_eq(settings_soft_ms(&table), 1);
	table.timeout = 1000;
	table.timeout_soft = 300;
	ck_assert_int_eq(settings_soft_ms(&table), 300);
	table.timeout_soft = 3000;
	ck_assert_int_eq(settings_soft_ms(&table), 1000);
	table.drain_timeout = 7;
	ck_assert_int_eq(settings_drain_ms(&table), 7);
	ck_assert_int_eq(settings_unavailable(&table, 1), 1);
	ck_assert_int_eq(settings_unavailable(&table, 19), 1);
	ck_assert_int_eq(settings_unavailable(&table, 20), 2);
	ck_assert_int_eq(settings_unavailable(&table, 512), 51);
	table.refork_max_unavailable = 4;
	ck_assert_int_eq(settings_unavailable(&table, 20), 4);
}
END_TEST

START_TEST(jitter_lowers_each_tokens_limit_by_its_own_share)
{
	uint64_t token;
	int64_t got, lowest = 1000, highest = 0;

	for (token = 1; token <= 1000; token++) {
		got = settings_with_jitter(1000, 10, token);
		lowest = got < lowest ? got : lowest;
		highest = got > highest ? got : highest;
		ck_assert_int_eq(settings_with_jitter(1000, 0, token), 1000);
		ck_assert_int_eq(settings_with_jitter(0, 90, token), 0);
	}
	ck_assert_int_ge(lowest, 900);
	ck_assert_int_le(lowest, 902);
	ck_assert_int_ge(highest, 998);
	ck_assert_int_le(highest, 1000);
}
END_TEST

static void
add_tables(TCase *tc)
{
	tcase_add_loop_test(
	    tc, every_setting_takes_its_least_and_its_most, 0, ROWS);
	tcase_add_loop_test(
	    tc, every_setting_refuses_one_less_and_one_more, 0, ROWS);
	tcase_add_loop_test(tc, no_number_takes_anything_but_digits, 0, ROWS);
	tcase_add_loop_test(tc, a_mistake_is_named, 0,
	    (int)(sizeof(mistakes) / sizeof(mistakes[0])));
}

int
main(void)
{
	Suite *suite = suite_create("settings");
	TCase *tc = tcase_create("settings");

	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	add_tables(tc);
	tcase_add_test(tc, a_fresh_table_has_the_defaults);
	tcase_add_test(tc, a_whole_block_comes_back_as_it_was);
	tcase_add_test(tc, a_text_may_hold_anything_but_nul);
	tcase_add_test(tc, an_empty_block_changes_nothing);
	tcase_add_test(tc, a_listener_has_unicorns_defaults);
	tcase_add_test(tc, listeners_keep_their_order_and_their_options);
	tcase_add_test(tc, each_row_and_listener_knows_its_place);
	tcase_add_test(tc, one_listener_too_many_is_refused);
	tcase_add_test(tc, refork_after_is_a_list_whose_last_number_repeats);
	tcase_add_test(tc, a_refork_after_that_is_too_long_is_refused);
	tcase_add_test(tc, jitter_lowers_each_tokens_limit_by_its_own_share);
	tcase_add_test(tc, a_block_that_ends_without_nul_is_refused);
	tcase_add_test(tc, the_reason_fits_into_any_buffer);
	tcase_add_test(tc, derived_values_follow_their_rules);
	return suite_run(suite);
}
