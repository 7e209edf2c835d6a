/* loop.c - the workers' epoll set: events, deadlines, and what is forgotten. */
#include "base/loop.h"

#include <check.h>
#include <stdlib.h>
#include <unistd.h>

#include "suite.h"

static struct loop loop;
static struct loop_watch a, b;
static int pipes[2][2];
static int seen;
static struct loop_timer *late[8];
static int nlate;

static void
setup(void)
{
	int i;

	ck_assert_int_eq(loop_init(&loop), 0);
	for (i = 0; i < 2; i++)
		ck_assert_int_eq(pipe(pipes[i]), 0);
	seen = nlate = 0;
}

static void
on_seen(struct loop_watch *w, uint32_t events)
{
	(void)events;
	seen |= 1 << w->tag;
}

/* The first one's callback ends the second one. */
static void
on_unwatch(struct loop_watch *w, uint32_t events)
{
	on_seen(w, events);
	loop_unwatch(&loop, w == &a ? &b : &a);
}

static void
on_late(struct loop_timer *t)
{
	late[nlate++] = t;
}

static void
both(void (*on)(struct loop_watch *, uint32_t))
{
	a = (struct loop_watch){ .fd = pipes[0][0], .tag = 0, .on = on };
	b = (struct loop_watch){ .fd = pipes[1][0], .tag = 1, .on = on };
	ck_assert_int_eq(loop_watch(&loop, &a, EPOLLIN), 0);
	ck_assert_int_eq(loop_watch(&loop, &b, EPOLLIN), 0);
	ck_assert_int_eq((int)write(pipes[0][1], "x", 1), 1);
	ck_assert_int_eq((int)write(pipes[1][1], "x", 1), 1);
}

START_TEST(every_event_reaches_its_watch)
{
	both(on_seen);
	ck_assert_int_eq(loop_wait(&loop, 1000), 2);
	loop_dispatch(&loop);
	ck_assert_int_eq(seen, 3);
}
END_TEST

START_TEST(an_event_of_a_watch_that_was_removed_meanwhile_is_forgotten)
{
	both(on_unwatch);
	ck_assert_int_eq(loop_wait(&loop, 1000), 2);
	loop_dispatch(&loop);
	ck_assert(seen == 1 || seen == 2);
	ck_assert_int_eq(loop_wait(&loop, 0), 1);
}
END_TEST

START_TEST(a_watch_can_come_back_with_other_events)
{
	both(on_seen);
	loop_unwatch(&loop, &a);
	loop_unwatch(&loop, &b);
	ck_assert_int_eq(loop_wait(&loop, 0), 0);
	ck_assert_int_eq(loop_watch(&loop, &a, EPOLLIN), 0);
	ck_assert_int_eq(loop_watch(&loop, &a, EPOLLIN), 0);
	ck_assert_int_eq(loop_wait(&loop, 1000), 1);
}
END_TEST

START_TEST(a_lane_keeps_its_deadlines_in_order)
{
	struct loop_lane lane;
	struct loop_timer t[3] = { 0 };
	int i;

	loop_lane(&loop, &lane, 5, on_late);
	for (i = 0; i < 3; i++)
		loop_start(&loop, &lane, &t[i]);
	loop_start(&loop, &lane, &t[0]);
	loop_stop(&t[1]);
	loop_stop(&t[1]);
	while (nlate < 2) {
		(void)loop_wait(&loop, loop_left_ms(&loop, 1000));
		loop_dispatch(&loop);
	}
	ck_assert_ptr_eq(late[0], &t[2]);
	ck_assert_ptr_eq(late[1], &t[0]);
	ck_assert_int_eq(loop_left_ms(&loop, 1234), 1234);
}
END_TEST

START_TEST(the_nearest_deadline_of_all_lanes_counts)
{
	struct loop_lane slow, fast;
	struct loop_timer s = { 0 }, f = { 0 };

	loop_lane(&loop, &slow, 60000, on_late);
	loop_lane(&loop, &fast, 500, on_late);
	loop_start(&loop, &slow, &s);
	ck_assert_int_gt(loop_left_ms(&loop, 100000), 50000);
	loop_start(&loop, &fast, &f);
	ck_assert_int_le(loop_left_ms(&loop, 100000), 500);
	ck_assert_int_eq(loop_left_ms(&loop, 7), 7);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("loop");
	TCase *tc = tcase_create("all");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, every_event_reaches_its_watch);
	tcase_add_test(
	    tc, an_event_of_a_watch_that_was_removed_meanwhile_is_forgotten);
	tcase_add_test(tc, a_watch_can_come_back_with_other_events);
	tcase_add_test(tc, a_lane_keeps_its_deadlines_in_order);
	tcase_add_test(tc, the_nearest_deadline_of_all_lanes_counts);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
