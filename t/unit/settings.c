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
#include "settings_table.h"
#include "suite.h"

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
	tcase_add_test(tc, a_block_that_ends_without_nul_is_refused);
	tcase_add_test(tc, the_reason_fits_into_any_buffer);
	return suite_run(suite);
}
