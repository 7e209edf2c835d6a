/*
 * gc_standing.c - the garbage that makes a heap larger: what stands between two
 * collections, and what grew old before it died.
 */
#include <check.h>

#include "gc/decide.h"
#include "suite.h"

/* What t/apps/churn.ru has: 620,000 live slots, of which most are old. */
static const struct gc_policy policy = {
	.budget = 0.45,
	.guard = 0.75,
	.nursery = 80 << 20,
	.standing = 0.25,
	.standing_bytes = 5 << 20,
	.old_limit = 667000,
};
static const struct gc_demand small_requests = { .slots = { 800 } };

static struct gc_sample
base(void)
{
	return (struct gc_sample){ .count = 7,
		.allocated = 3000000,
		.live = 620000,
		.old = 580000,
		.malloc_limit = 32 << 20,
		.pools = 1,
		.slot = { 40 },
		.made = { 3000000 },
		.room = { 100000000 } };
}

static struct gc_decision
after(const struct gc_policy *p, uint64_t slots, uint64_t malloc_bytes)
{
	struct gc_sample from = base(), now = from;

	now.made[0] += slots;
	now.allocated += slots;
	now.malloc_bytes = malloc_bytes;
	return gc_decide(p, &small_requests, &from, &now);
}

START_TEST(a_quarter_of_the_live_slots_is_collected)
{
	ck_assert_int_eq(after(&policy, 150000, 0).reason, GC_NONE);
	ck_assert_int_eq(after(&policy, 156000, 0).reason, GC_NURSERY);
}
END_TEST

START_TEST(it_waits_while_somebody_waits_but_not_for_long)
{
	ck_assert(!after(&policy, 230000, 0).must);
	ck_assert(after(&policy, 233000, 0).must);
}
END_TEST

START_TEST(where_that_is_too_dear_the_budget_rules)
{
	struct gc_policy dear = policy;

	dear.standing_bytes = 20 << 20;
	ck_assert_int_eq(after(&dear, 200000, 0).reason, GC_NONE);
	ck_assert_int_eq(after(&dear, 279000, 0).reason, GC_BUDGET);
	/* The bytes of malloc stand there, too. */
	ck_assert_int_eq(after(&dear, 200000, 14 << 20).reason, GC_NURSERY);
}
END_TEST

START_TEST(a_nursery_that_was_given_is_the_only_one)
{
	struct gc_policy given = policy;

	given.standing = 0;
	ck_assert_int_eq(after(&given, 270000, 0).reason, GC_NONE);
}
END_TEST

static struct gc_decision
with_old(uint64_t old, uint64_t slots)
{
	struct gc_sample from = base(), now = from;

	now.old = old;
	now.made[0] += slots;
	now.allocated += slots;
	return gc_decide(&policy, &small_requests, &from, &now);
}

START_TEST(too_many_old_objects_are_looked_at)
{
	ck_assert_int_eq(with_old(667000, 10000).reason, GC_NONE);
	ck_assert_int_eq(with_old(667001, 10000).reason, GC_OLD);
	/* Whatever else is due: one that finds old garbage does that, too. */
	ck_assert_int_eq(with_old(667001, 200000).reason, GC_OLD);
}
END_TEST

START_TEST(a_major_collection_waits_while_somebody_waits)
{
	ck_assert(!with_old(833000, 10000).must);
	ck_assert(with_old(834000, 10000).must);
}
END_TEST

START_TEST(want_of_room_is_no_time_for_a_major_collection)
{
	struct gc_sample from = base(), now;
	struct gc_decision got;

	from.room[0] = 100000;
	now = from;
	now.old = 700000;
	now.made[0] += 99900;
	now.allocated += 99900;
	got = gc_decide(&policy, &small_requests, &from, &now);
	ck_assert_int_eq(got.reason, GC_ROOM);
	ck_assert(got.must);
}
END_TEST

START_TEST(without_a_limit_major_ones_are_left_to_ruby)
{
	struct gc_policy none = policy;
	struct gc_sample from = base(), now = from;

	none.old_limit = 0;
	now.old = 1000000;
	ck_assert_int_eq(
	    gc_decide(&none, &small_requests, &from, &now).reason, GC_NONE);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("gc_standing");
	TCase *t = tcase_create("standing");

	suite_add_tcase(s, t);
	tcase_add_test(t, a_quarter_of_the_live_slots_is_collected);
	tcase_add_test(t, it_waits_while_somebody_waits_but_not_for_long);
	tcase_add_test(t, where_that_is_too_dear_the_budget_rules);
	tcase_add_test(t, a_nursery_that_was_given_is_the_only_one);
	tcase_add_test(t, too_many_old_objects_are_looked_at);
	tcase_add_test(t, a_major_collection_waits_while_somebody_waits);
	tcase_add_test(t, want_of_room_is_no_time_for_a_major_collection);
	tcase_add_test(t, without_a_limit_major_ones_are_left_to_ruby);
	return suite_run(s);
}
