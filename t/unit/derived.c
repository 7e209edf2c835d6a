/*
 * derived.c - what follows from settings.
 */
#include <reforkd/settings.h>

#include <check.h>

#include "settings_table.h"
#include "suite.h"

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

int
main(void)
{
	Suite *suite = suite_create("derived");
	TCase *tc = tcase_create("derived");

	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, derived_values_follow_their_rules);
	tcase_add_test(tc, jitter_lowers_each_tokens_limit_by_its_own_share);
	return suite_run(suite);
}
