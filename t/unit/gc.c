/* The collector's policy: samples in, decisions out. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gc/classic.h"
#include "gc/decide.h"
#include "gc/nursery.h"
#include "suite.h"

static const struct gc_policy policy = { .budget = 0.5, .guard = 0.75 };

/* 3.1: one pool of 100,000 slots' room, 200,000 live; malloc up to 16 MB. */
static struct gc_sample
base_of(uint32_t pools)
{
	struct gc_sample s = { .count = 7,
		.allocated = 1000000,
		.live = 2000000,
		.malloc_limit = 16 << 20,
		.pools = pools };
	uint32_t i;

	for (i = 0; i < pools; i++) {
		s.slot[i] = 40u << i;
		s.made[i] = 500000;
		s.room[i] = 100000 >> i;
	}
	return s;
}

static struct gc_sample
later(const struct gc_sample *base, uint32_t pool, uint64_t slots)
{
	struct gc_sample s = *base;

	s.made[pool] += slots;
	s.allocated += slots;
	return s;
}

START_TEST(nothing_is_due_while_there_is_room)
{
	struct gc_sample base = base_of(5), now = later(&base, 0, 80000);
	struct gc_demand d = { .slots = { 20000 } };

	ck_assert_int_eq(gc_decide(&policy, &d, &base, &now).reason, GC_NONE);
}
END_TEST

START_TEST(a_pool_that_would_not_hold_the_next_request_is_a_must)
{
	struct gc_sample base = base_of(5);
	struct gc_sample now = later(&base, (uint32_t)_i, 90000 >> _i);
	struct gc_demand d = { 0 };
	struct gc_decision got;

	d.slots[_i] = 20000 >> _i;
	got = gc_decide(&policy, &d, &base, &now);
	ck_assert_int_eq(got.reason, GC_ROOM);
	ck_assert_uint_eq(got.pool, (unsigned)_i);
	ck_assert(got.must);
}
END_TEST

START_TEST(the_guard_spares_those_after_a_huge_request)
{
	struct gc_sample base = base_of(1), now = later(&base, 0, 50000);
	struct gc_demand d = { .slots = { 90000 } };

	ck_assert_int_eq(gc_decide(&policy, &d, &base, &now).reason, GC_NONE);
	now = later(&base, 0, 76000);
	ck_assert_int_eq(gc_decide(&policy, &d, &base, &now).reason, GC_ROOM);
}
END_TEST

START_TEST(a_shared_room_is_taken_by_all_pools_together)
{
	struct gc_sample base = base_of(5), now;
	struct gc_demand d = { .slots = { 4000, 4000, 4000 } };
	int i;

	base.shared = 30000;
	now = later(&base, 0, 100000);
	ck_assert_int_eq(gc_decide(&policy, &d, &base, &now).reason, GC_NONE);
	for (i = 0; i < 3; i++)
		now = later(&now, (uint32_t)i, 50000);
	ck_assert_int_eq(gc_decide(&policy, &d, &base, &now).reason, GC_ROOM);
}
END_TEST

START_TEST(malloc_has_a_room_too)
{
	struct gc_sample base = base_of(1), now = base;
	struct gc_demand d = { .malloc_bytes = 4 << 20 };

	now.malloc_bytes = 11 << 20;
	ck_assert_int_eq(gc_decide(&policy, &d, &base, &now).reason, GC_NONE);
	now.malloc_bytes = 13 << 20;
	ck_assert_int_eq(gc_decide(&policy, &d, &base, &now).reason, GC_MALLOC);
}
END_TEST

START_TEST(the_budget_can_wait_for_a_while)
{
	struct gc_sample base = base_of(1), now;
	struct gc_demand d = { .slots = { 10 } };
	struct gc_decision got;

	base.room[0] = 100000000;
	now = later(&base, 0, 1000001);
	got = gc_decide(&policy, &d, &base, &now);
	ck_assert_int_eq(got.reason, GC_BUDGET);
	ck_assert(!got.must);
	now = later(&base, 0, 1250001);
	ck_assert(gc_decide(&policy, &d, &base, &now).must);
}
END_TEST

START_TEST(so_can_the_nursery)
{
	struct gc_policy small = { .guard = 0.75, .nursery = 8 << 20 };
	struct gc_sample base = base_of(1), now;
	struct gc_demand d = { 0 };
	struct gc_decision got;

	base.room[0] = 100000000;
	now = later(&base, 0, 200000);
	ck_assert_int_eq(gc_decide(&small, &d, &base, &now).reason, GC_NONE);
	now.malloc_bytes = 1 << 20;
	got = gc_decide(&small, &d, &base, &now);
	ck_assert_int_eq(got.reason, GC_NURSERY);
	ck_assert(!got.must);
	now = later(&base, 0, 500000);
	ck_assert(gc_decide(&small, &d, &base, &now).must);
}
END_TEST

/*
 * What the three Rubies did (t/unit/data): no collection comes unforeseen, and
 * none would have been ordered while half of the room was left.
 */
static const char *const rubies[] = { "3.1", "3.3", "3.4" };

static char
sample_parse(const char *line, struct gc_sample *s)
{
	unsigned long long n[7 + 3 * GC_POOLS] = { 0 };
	const char *p = line + 1;
	char *end;
	size_t i;

	for (i = 0; i < sizeof(n) / sizeof(n[0]); i++, p = end) {
		n[i] = strtoull(p, &end, 10);
		if (end == p)
			break;
	}
	memset(s, 0, sizeof(*s));
	ck_assert_uint_le(n[6], GC_POOLS);
	ck_assert_uint_eq(i, 7 + 3 * n[6]);
	s->count = n[0];
	s->allocated = n[1];
	s->live = n[2];
	s->malloc_bytes = n[3];
	s->malloc_limit = n[4];
	s->shared = n[5];
	s->pools = (uint32_t)n[6];
	for (i = 0; i < s->pools; i++) {
		s->slot[i] = (uint32_t)n[7 + 3 * i];
		s->made[i] = n[8 + 3 * i];
		s->room[i] = n[9 + 3 * i];
	}
	return line[0];
}

START_TEST(no_collection_of_a_recorded_ruby_comes_unforeseen)
{
	struct gc_policy p = { .guard = 0.5 };
	struct gc_sample base = { 0 }, last = { 0 }, now;
	struct gc_decision got = { 0 };
	struct gc_demand d = { 0 };
	char path[64], line[512];
	int collections = 0;
	FILE *f;

	snprintf(path, sizeof(path), "t/unit/data/gc-%s", rubies[_i]);
	f = fopen(path, "r");
	ck_assert_msg(f != NULL, "%s: run me in the project's folder", path);
	while (fgets(line, sizeof(line), f) != NULL) {
		if (line[0] == '#')
			continue;
		switch (sample_parse(line, &now)) {
		case 'B':
			memset(&d, 0, sizeof(d));
			base = last = now;
			continue;
		case 'S':
			gc_demand_see(&d, &last, &now);
			got = gc_decide(&p, &d, &base, &now);
			if (gc_used(&base, &now) < 0.5)
				ck_assert_int_eq(got.reason, GC_NONE);
			break;
		default:
			ck_assert_msg(got.must, "%s: %s", path, line);
			collections++;
		}
		last = now;
	}
	(void)fclose(f);
	ck_assert_int_ge(collections, 2);
}
END_TEST

START_TEST(demand_grows_by_half_and_is_forgotten_slowly)
{
	struct gc_sample base = base_of(1), now = later(&base, 0, 1000);
	struct gc_demand d = { 0 };
	double was;
	int i;

	gc_demand_see(&d, &base, &now);
	ck_assert_double_eq(d.slots[0], 1000);
	now = later(&base, 0, 100000);
	gc_demand_see(&d, &base, &now);
	ck_assert_double_eq(d.slots[0], 1501);
	was = d.slots[0];
	for (i = 0; i < 100; i++)
		gc_demand_see(&d, &base, &base);
	ck_assert_double_lt(d.slots[0], was / 2);
	ck_assert_double_gt(d.slots[0], was / 4);
}
END_TEST

START_TEST(a_collection_inside_hides_no_bytes)
{
	struct gc_sample base = base_of(1), now = base;
	struct gc_demand d = { 0 };

	base.malloc_bytes = 10 << 20;
	now.count++;
	now.malloc_bytes = 3 << 20;
	gc_demand_see(&d, &base, &now);
	ck_assert_double_eq(d.malloc_bytes, 3 << 20);
	ck_assert_uint_eq(gc_bytes(&base, &now), 3 << 20);
}
END_TEST

START_TEST(what_is_swept_late_is_known_as_of_the_marking)
{
	struct gc_sample base = base_of(2), now = later(&base, 1, 3000);

	/* Marked with 5000 slots of garbage, of which 3000 are taken again. */
	base.room[1] = 1;
	now.room[1] = 2000;
	now.shared = 400;
	now.live = base.live - 2000;
	gc_swept(&base, &now);
	ck_assert_uint_eq(base.room[1], 5000);
	ck_assert_uint_eq(base.room[0], 100000);
	ck_assert_uint_eq(base.shared, 400);
	ck_assert_uint_eq(base.live, 1995000);
	ck_assert_uint_eq(base.made[1], 500000);
}
END_TEST

START_TEST(the_nursery_costs_the_share_that_it_may)
{
	struct gc_nursery n = { 0 };
	struct gc_shares share = { .busy = 0.05, .idle = 0.01 };
	struct gc_shares much = { .busy = 100 };
	uint64_t size;
	int i;

	ck_assert_uint_eq(gc_nursery_size(&n, share), 0);
	for (i = 0; i < 500; i++)
		gc_nursery_worked(&n, 1 << 20, 10000, 15000);
	gc_nursery_collected(&n, 5000, false);
	size = gc_nursery_size(&n, share);
	/* 5 ms a collection is 5 % of 100 ms, in which 10 MB are made. */
	ck_assert_uint_gt(size, 10480000);
	ck_assert_uint_lt(size, 10490000);
	/* A major one says nothing about the next minor one. */
	gc_nursery_collected(&n, 500000, true);
	ck_assert_uint_eq(gc_nursery_size(&n, share), size);
	gc_nursery_collected(&n, 9000, false);
	ck_assert_uint_gt(gc_nursery_size(&n, share), size);
	ck_assert_uint_eq(gc_nursery_size(&n, much), 1 << 20);
}
END_TEST

START_TEST(who_is_idle_collects_more)
{
	struct gc_nursery half = { 0 }, idle = { 0 };
	struct gc_shares share = { .busy = 0.03, .idle = 0.01 };
	int i;

	for (i = 0; i < 500; i++) {
		gc_nursery_worked(&half, 1 << 20, 10000, 20000);
		gc_nursery_worked(&idle, 1 << 20, 10000, 200000);
	}
	gc_nursery_collected(&half, 5000, false);
	gc_nursery_collected(&idle, 5000, false);
	/* 0.3 ms a MB, of which 5 ms is a collection; 0.9 ms more of 90 idle.
	 */
	ck_assert_uint_eq(gc_nursery_size(&half, share) >> 20, 16);
	ck_assert_uint_eq(gc_nursery_size(&idle, share) >> 20, 4);
}
END_TEST

START_TEST(discourse_keeps_room_for_two_big_requests)
{
	struct gc_discourse d = { 0 };
	struct gc_heap before = { 3, 400000, 500000 };
	struct gc_heap after = before;
	char line[200];
	int i;

	for (i = 0; i < 3; i++) {
		before = after;
		after.live += 100000;
		after.free -= 100000;
		ck_assert_int_eq(gc_discourse_request(&d, &before, &after),
		    GC_DISCOURSE_WAIT);
	}
	/* 800,000 live and twice 100,000 exceed 900,000. */
	before = after;
	after.live += 100000;
	ck_assert_int_eq(
	    gc_discourse_request(&d, &before, &after), GC_DISCOURSE_HIT);
	gc_discourse_hit_line(&d, 28701, 67, line, sizeof(line));
	ck_assert_str_eq(line, "OobGC hit pid: 28701 req: 4 max delta: 100000 "
			       "expect at: 900000 67ms saved");
	after.live = 450000;
	after.free = 450000;
	gc_discourse_collected(&d, &after);
	ck_assert_uint_eq(d.requests, 0);
	before = after;
	after.count++;
	ck_assert_int_eq(
	    gc_discourse_request(&d, &before, &after), GC_DISCOURSE_MISS);
	gc_discourse_miss_line(&d, 28707, line, sizeof(line));
	ck_assert_str_eq(
	    line, "OobGC miss pid: 28707 reqs: 1 max delta: 100000");
}
END_TEST

START_TEST(discourse_never_expects_less_than_fifty_thousand)
{
	struct gc_discourse d = { 0 };
	struct gc_heap heap = { 1, 1000, 1000000 };

	(void)gc_discourse_request(&d, &heap, &heap);
	ck_assert_uint_eq(d.max_delta, 50000);
}
END_TEST

START_TEST(every_n_is_every_n)
{
	uint64_t requests = 0;
	int i, n = 0;

	for (i = 0; i < 100; i++)
		n += gc_every_request(&requests, 20);
	ck_assert_int_eq(n, 5);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("gc");
	TCase *t = tcase_create("policy");

	suite_add_tcase(s, t);
	tcase_add_test(t, nothing_is_due_while_there_is_room);
	tcase_add_loop_test(
	    t, a_pool_that_would_not_hold_the_next_request_is_a_must, 0, 5);
	tcase_add_test(t, the_guard_spares_those_after_a_huge_request);
	tcase_add_test(t, a_shared_room_is_taken_by_all_pools_together);
	tcase_add_test(t, malloc_has_a_room_too);
	tcase_add_test(t, the_budget_can_wait_for_a_while);
	tcase_add_test(t, so_can_the_nursery);
	tcase_add_loop_test(
	    t, no_collection_of_a_recorded_ruby_comes_unforeseen, 0, 3);
	tcase_add_test(t, demand_grows_by_half_and_is_forgotten_slowly);
	tcase_add_test(t, a_collection_inside_hides_no_bytes);
	tcase_add_test(t, what_is_swept_late_is_known_as_of_the_marking);
	tcase_add_test(t, the_nursery_costs_the_share_that_it_may);
	tcase_add_test(t, who_is_idle_collects_more);
	tcase_add_test(t, discourse_keeps_room_for_two_big_requests);
	tcase_add_test(t, discourse_never_expects_less_than_fifty_thousand);
	tcase_add_test(t, every_n_is_every_n);
	return suite_run(s);
}
