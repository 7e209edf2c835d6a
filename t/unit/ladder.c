/* The ladder of a pool near its budget, and whom the kernel ends first. */
#include "master/ladder.h"

#include <check.h>
#include <stdlib.h>

#include "master/oom.h"
#include "suite.h"

#define MB 1024u

static struct ladder ladder;
static struct ladder_view view;

static void
setup(void)
{
	ladder = (struct ladder){ 0 };
	view = (struct ladder_view){
		.now_ms = 1000000,
		.budget_kb = 1000 * MB,
		.pss_kb = 950 * MB,
		.fattest_kb = 300 * MB,
		.median_kb = 100 * MB,
		.fattest_age_ms = 60000,
		.workers = 4,
		.wanted = 4,
		.is_settled = true,
		.may_refork = true,
	};
}

static enum ladder_step
next(void)
{
	return ladder_next(&ladder, &view);
}

START_TEST(without_a_budget_nothing_is_done)
{
	view.budget_kb = 0;
	ck_assert_int_eq(next(), LADDER_NOTHING);
}
END_TEST

START_TEST(below_nine_tenths_nothing_is_done)
{
	view.pss_kb = 890 * MB;
	ck_assert_int_eq(next(), LADDER_NOTHING);
	view.soon_kb = 20 * MB; /* but it grows */
	ck_assert_int_eq(next(), LADDER_COLLECT);
}
END_TEST

START_TEST(collecting_comes_first_and_has_its_time)
{
	ck_assert_int_eq(next(), LADDER_COLLECT);
	view.is_settled = false;
	ck_assert_int_eq(next(), LADDER_NOTHING);
	view.is_settled = true;
	ck_assert_int_eq(next(), LADDER_RECYCLE);
}
END_TEST

START_TEST(above_the_budget_nobody_waits_for_what_collecting_brings)
{
	view.pss_kb = 1010 * MB;
	ck_assert_int_eq(next(), LADDER_COLLECT);
	view.is_settled = false;
	ck_assert_int_eq(next(), LADDER_RECYCLE);
}
END_TEST

START_TEST(who_leaves_already_counts_as_gone)
{
	(void)next();
	view.going_kb = 300 * MB;
	ck_assert_int_eq(next(), LADDER_NOTHING);
}
END_TEST

START_TEST(workers_that_are_all_alike_are_reforked_when_replacing_is_in_vain)
{
	(void)next();
	view.fattest_kb = 120 * MB;
	view.fattest_age_ms = 1000;
	ck_assert_int_eq(next(), LADDER_REFORK);
	/* Not again, and not fewer as long as the budget itself holds. */
	ck_assert_int_eq(next(), LADDER_NOTHING);
	view.pss_kb = 1010 * MB;
	ck_assert_int_eq(next(), LADDER_FEWER);
}
END_TEST

START_TEST(without_reforks_the_pool_gets_fewer_workers)
{
	(void)next();
	view.may_refork = false;
	view.pss_kb = 1010 * MB;
	view.fattest_age_ms = 1000;
	ck_assert_int_eq(next(), LADDER_FEWER);
	view.wanted = 1;
	ck_assert_int_eq(next(), LADDER_NOTHING);
}
END_TEST

START_TEST(while_something_is_under_way_only_replacing_goes_on)
{
	(void)next();
	view.is_busy = true;
	ck_assert_int_eq(next(), LADDER_RECYCLE);
	view.fattest_age_ms = 1000;
	view.pss_kb = 1010 * MB;
	ck_assert_int_eq(next(), LADDER_NOTHING);
}
END_TEST

START_TEST(far_above_for_long_one_ends_without_a_successor)
{
	(void)next();
	view.pss_kb = 1200 * MB;
	view.fattest_age_ms = 1000;
	view.is_busy = true;
	ck_assert_int_eq(next(), LADDER_NOTHING);
	view.now_ms += 9999;
	ck_assert_int_eq(next(), LADDER_NOTHING);
	view.now_ms += 1;
	ck_assert_int_eq(next(), LADDER_END);
	view.now_ms += 500; /* one at a time */
	ck_assert_int_eq(next(), LADDER_NOTHING);
	view.now_ms += 9500;
	ck_assert_int_eq(next(), LADDER_END);
}
END_TEST

START_TEST(what_was_taken_away_comes_back_when_there_is_room_for_a_while)
{
	view.cut = 2;
	view.wanted = view.workers = 2;
	view.pss_kb = 400 * MB;
	ck_assert_int_eq(next(), LADDER_NOTHING);
	view.now_ms += 59999;
	ck_assert_int_eq(next(), LADDER_NOTHING);
	view.now_ms += 1;
	ck_assert_int_eq(next(), LADDER_MORE);
	view.pss_kb = 600 * MB; /* one more would not fit */
	view.now_ms += 100000;
	ck_assert_int_eq(next(), LADDER_NOTHING);
}
END_TEST

START_TEST(a_leak_is_kept_within_the_budget)
{
	uint64_t uss[4] = { 0, 0, 0, 0 }, born[4] = { 0, 0, 0, 0 };
	uint64_t most = 0;
	unsigned int fewer = 0, recycled = 0;
	int i, look, fattest;

	view.fattest_kb = 0;
	for (look = 0; look < 2000; look++) {
		view.now_ms += 500;
		for (i = 0, fattest = 0, view.pss_kb = 100 * MB; i < 4; i++) {
			uss[i] += (uint64_t)(1 + i) * MB;
			view.pss_kb += uss[i];
			if (uss[i] > uss[fattest])
				fattest = i;
		}
		if (view.pss_kb > most)
			most = view.pss_kb;
		view.fattest_kb = view.median_kb = uss[fattest];
		view.fattest_age_ms = view.now_ms - born[fattest];
		view.soon_kb = 30 * MB;
		switch (next()) {
		case LADDER_RECYCLE:
			recycled++;
			uss[fattest] = 0;
			born[fattest] = view.now_ms;
			break;
		case LADDER_FEWER:
		case LADDER_END:
			fewer++;
			break;
		default:
			break;
		}
	}
	ck_assert_uint_lt(most, 1000 * MB);
	ck_assert_uint_eq(fewer, 0);
	ck_assert_uint_gt(recycled, 10);
}
END_TEST

START_TEST(the_master_has_the_lowest_score)
{
	ck_assert_int_eq(oom_score(OOM_MASTER, 0, false), 0);
	ck_assert_int_eq(oom_score(OOM_MOLD, 0, false), 100);
	ck_assert_int_eq(oom_score(OOM_WORKER, 0, false), 200);
	ck_assert_int_eq(oom_score(OOM_MASTER, 0, true), -400);
	ck_assert_int_eq(oom_score(OOM_MOLD, 0, true), -200);
	ck_assert_int_eq(oom_score(OOM_WORKER, 0, true), 0);
	ck_assert_int_eq(oom_score(OOM_WORKER, 950, false), 1000);
	/* Never "never", unless it was so. */
	ck_assert_int_eq(oom_score(OOM_MASTER, -900, true), -999);
	ck_assert_int_eq(oom_score(OOM_MASTER, -1000, true), -1000);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("ladder");
	TCase *tc = tcase_create("ladder");

	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, without_a_budget_nothing_is_done);
	tcase_add_test(tc, below_nine_tenths_nothing_is_done);
	tcase_add_test(tc, collecting_comes_first_and_has_its_time);
	tcase_add_test(
	    tc, above_the_budget_nobody_waits_for_what_collecting_brings);
	tcase_add_test(tc, who_leaves_already_counts_as_gone);
	tcase_add_test(tc,
	    workers_that_are_all_alike_are_reforked_when_replacing_is_in_vain);
	tcase_add_test(tc, without_reforks_the_pool_gets_fewer_workers);
	tcase_add_test(tc, while_something_is_under_way_only_replacing_goes_on);
	tcase_add_test(tc, far_above_for_long_one_ends_without_a_successor);
	tcase_add_test(
	    tc, what_was_taken_away_comes_back_when_there_is_room_for_a_while);
	tcase_add_test(tc, a_leak_is_kept_within_the_budget);
	tcase_add_test(tc, the_master_has_the_lowest_score);
	return suite_run(suite);
}
