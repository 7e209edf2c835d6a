/* refork :auto with series of samples: a pool that is simulated. */
#include "master/thrift.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "suite.h"

#define MB 1024.
#define WORKERS 8u
#define LOOK_MS 500u

static struct thrift thrift;
static struct thrift_rules rules;
static struct thrift_view view;

/* A worker's own memory after n requests: what its requests leave behind at
 * once, what it warms up, and what goes on growing. */
struct app {
	double at_once_mb, warm_mb, tau, per_request_mb;
	double requests_per_s; /* of each worker */
	uint64_t cost_ms;
};

static double warmed; /* requests that all generations before have served */

static double
own_mb(const struct app *a, double n)
{
	return a->at_once_mb * (n > 4 ? 1 : n / 4) +
	       a->warm_mb * exp(-warmed / a->tau) * (1 - exp(-n / a->tau)) +
	       a->per_request_mb * n;
}

static double
faults(const struct app *a, double n)
{
	return own_mb(a, n + 1) - own_mb(a, n);
}

/* Runs it for so long; how often it reforked, the mean PSS, the first yield. */
static unsigned int
run(const struct app *a, unsigned int seconds, double *mean_mb,
    struct thrift_yield *first)
{
	struct thrift_yield last;
	unsigned int looks = seconds * 1000 / LOOK_MS, i, reforks = 0;
	double n = 0, sum = 0, early = -1;
	char why[192];

	memset(first, 0, sizeof(*first));
	for (i = 0; i < looks; i++) {
		view.now_ms += LOOK_MS;
		n += a->requests_per_s * LOOK_MS / 1000;
		if (n >= 16 && early < 0)
			early = own_mb(a, n) / n;
		view.requests = (uint64_t)n;
		view.uss_kb = (uint64_t)(own_mb(a, n) * WORKERS * MB);
		view.pss_kb = (uint64_t)(100 * MB) + view.uss_kb;
		view.fattest_kb = view.pss_kb / WORKERS;
		view.mold_rss_kb = (uint64_t)(100 * MB);
		view.decay = early > 0 ? fmin(1, faults(a, n) / early) : 1;
		view.cpu_ms += LOOK_MS; /* one processor is busy */
		sum += (double)view.pss_kb / MB;
		if (thrift_look(&thrift, &rules, &view, &last) &&
		    first->requests == 0)
			*first = last;
		if (!thrift_pays(&thrift, &rules, &view, why, sizeof(why)))
			continue;
		ck_assert_ptr_nonnull(strstr(why, "to gain"));
		view.is_idle = false;
		(void)thrift_look(&thrift, &rules, &view, &last);
		view.is_idle = true;
		view.generation++;
		thrift_cost(&thrift, a->cost_ms);
		warmed += n;
		n = 0;
		early = -1;
		reforks++;
	}
	*mean_mb = sum / looks;
	return reforks;
}

static void
setup(void)
{
	memset(&thrift, 0, sizeof(thrift));
	warmed = 0;
	rules = (struct thrift_rules){ .interval_ms = 30000, .cpu = 100 };
	view = (struct thrift_view){
		.now_ms = 5000, .workers = WORKERS, .is_idle = true
	};
}

START_TEST(a_tiny_application_is_left_alone)
{
	struct app app = { .at_once_mb = .5,
		.warm_mb = .3,
		.tau = 100,
		.requests_per_s = 10,
		.cost_ms = 50 };
	struct thrift_yield y;
	double mean;

	ck_assert_uint_eq(run(&app, 3600, &mean, &y), 0);
}
END_TEST

START_TEST(garbage_that_comes_back_at_once_is_tried_once)
{
	struct app app = { .at_once_mb = 60,
		.tau = 100,
		.requests_per_s = 10,
		.cost_ms = 500 };
	struct thrift_yield y;
	double mean;

	ck_assert_uint_eq(run(&app, 3600, &mean, &y), 1);
	ck_assert(y.is_poor);
}
END_TEST

START_TEST(a_warm_pool_shares_again_and_says_what_it_brought)
{
	struct app app = { .at_once_mb = 5,
		.warm_mb = 50,
		.tau = 100,
		.requests_per_s = 10,
		.cost_ms = 1000 };
	struct thrift_yield y;
	double mean;

	ck_assert_uint_ge(run(&app, 600, &mean, &y), 1);
	ck_assert_int_gt(y.gain_kb, 80 * 1024);
	ck_assert(y.percent > 20 && y.percent < 100);
	ck_assert_uint_eq(y.cost_ms, 1000);
	ck_assert(!y.is_poor);
	ck_assert(mean < 100 + 8 * 55 * .75); /* without: nearly 540 */
}
END_TEST

START_TEST(what_goes_on_growing_is_reforked_as_often_as_the_bound_allows)
{
	struct app app = { .at_once_mb = 5,
		.warm_mb = 20,
		.tau = 50,
		.per_request_mb = .05,
		.requests_per_s = 10,
		.cost_ms = 1000 };
	struct thrift_yield y;
	unsigned int n, less;
	double mean;

	n = run(&app, 3600, &mean, &y);
	/* 10 s of credit, then 1 % of one processor: 36 s of CPU in an hour. */
	ck_assert_uint_ge(n, 20);
	ck_assert_uint_le(n, 46);
	setup();
	rules.cpu = 10;
	less = run(&app, 3600, &mean, &y);
	ck_assert_uint_le(less, 14);
	ck_assert_uint_ge(less, 5);
}
END_TEST

START_TEST(nothing_is_begun_before_the_interval_has_passed)
{
	struct app app = { .at_once_mb = 5,
		.warm_mb = 50,
		.tau = 10,
		.requests_per_s = 50,
		.cost_ms = 100 };
	struct thrift_yield y;
	double mean;

	ck_assert_uint_eq(run(&app, 29, &mean, &y), 0);
	ck_assert_uint_eq(run(&app, 5, &mean, &y), 1);
}
END_TEST

START_TEST(who_has_served_next_to_nothing_is_no_donor)
{
	struct thrift_yield y;
	char why[192];

	(void)thrift_look(&thrift, &rules, &view, &y);
	view.uss_kb = 400 * 1024;
	view.pss_kb = 500 * 1024;
	view.requests = 3;
	view.now_ms += 31000;
	ck_assert(!thrift_pays(&thrift, &rules, &view, why, sizeof(why)));
	view.requests = 8;
	ck_assert(thrift_pays(&thrift, &rules, &view, why, sizeof(why)));
	view.requests = 3; /* they have had the time */
	view.now_ms += 580000;
	ck_assert(thrift_pays(&thrift, &rules, &view, why, sizeof(why)));
}
END_TEST

START_TEST(two_poor_yields_make_the_interval_longer)
{
	struct thrift_yield y;
	char why[192];

	(void)thrift_look(&thrift, &rules, &view, &y);
	view.uss_kb = 400 * 1024;
	view.pss_kb = 500 * 1024;
	view.requests = 1000;
	view.now_ms += 31000;
	ck_assert(thrift_pays(&thrift, &rules, &view, why, sizeof(why)));
	thrift.poor = 1;
	ck_assert(thrift_pays(&thrift, &rules, &view, why, sizeof(why)));
	thrift.poor = 2;
	ck_assert(!thrift_pays(&thrift, &rules, &view, why, sizeof(why)));
	view.now_ms += 30000;
	ck_assert(thrift_pays(&thrift, &rules, &view, why, sizeof(why)));
	thrift.poor = 1000;
	view.now_ms += 3600000;
	ck_assert(thrift_pays(&thrift, &rules, &view, why, sizeof(why)));
}
END_TEST

START_TEST(the_budget_needs_room_for_the_next_mold)
{
	struct thrift_yield y;
	char why[192];

	(void)thrift_look(&thrift, &rules, &view, &y);
	view.uss_kb = 400 * 1024;
	view.pss_kb = 500 * 1024;
	view.fattest_kb = 60 * 1024;
	view.mold_rss_kb = 80 * 1024;
	view.requests = 1000;
	view.now_ms += 31000;
	view.budget_kb = 530 * 1024;
	ck_assert(thrift_pays(&thrift, &rules, &view, why, sizeof(why)));
	view.budget_kb = 510 * 1024;
	ck_assert(!thrift_pays(&thrift, &rules, &view, why, sizeof(why)));
	ck_assert_ptr_nonnull(strstr(why, "budget"));
}
END_TEST

/* 60 s of 10 requests a second; RSS of a worker after n of them. */
static bool
grows(double at_first_kb, double a_request_kb, double tau)
{
	struct thrift_yield y;
	char why[192];
	double n;

	setup();
	for (n = 5; n <= 600; n += 5) {
		view.now_ms += LOOK_MS;
		view.requests = (uint64_t)n;
		view.uss_kb = 400 * 1024;
		view.pss_kb = 500 * 1024;
		view.rss_kb =
		    100 * 1024 + (uint64_t)(at_first_kb * (1 - exp(-n / tau)) +
					    a_request_kb * n);
		view.decay = .05;
		(void)thrift_look(&thrift, &rules, &view, &y);
	}
	if (thrift_pays(&thrift, &rules, &view, why, sizeof(why)))
		return false;
	ck_assert_ptr_nonnull(strstr(why, "with each request"));
	return true;
}

START_TEST(what_leaks_is_not_handed_on)
{
	ck_assert(!grows(0, 0, 1));
	ck_assert(!grows(40000, 0, 100)); /* a cache that has filled */
	ck_assert(!grows(40000, 2, 50));  /* a little more is no leak */
	ck_assert(grows(0, 100, 1));      /* 100 kB with each request */
	ck_assert(grows(20000, 100, 100));
}
END_TEST

START_TEST(cold_workers_promise_little)
{
	struct thrift_yield y;
	char why[192];

	view.uss_kb = 100 * 1024;
	(void)thrift_look(&thrift, &rules, &view, &y);
	view.pss_kb = 200 * 1024;
	view.requests = 50;
	view.now_ms += 31000;
	view.decay = .95;
	ck_assert(!thrift_pays(&thrift, &rules, &view, why, sizeof(why)));
	view.decay = .05;
	ck_assert(thrift_pays(&thrift, &rules, &view, why, sizeof(why)));
	rules.min_gain_kb = 96 * 1024;
	ck_assert(!thrift_pays(&thrift, &rules, &view, why, sizeof(why)));
}
END_TEST

START_TEST(a_pool_with_little_to_do_has_a_processors_share)
{
	struct thrift_rules r = { .interval_ms = 30000, .cpu = 100 };
	struct thrift_view v = { .now_ms = 5000, .workers = WORKERS };
	struct thrift t = { 0 };
	struct thrift_yield yield;

	(void)thrift_look(&t, &r, &v, &yield);
	thrift_cost(&t, THRIFT_CREDIT_MS);
	v.now_ms += 100000;
	v.cpu_ms += 500;
	(void)thrift_look(&t, &r, &v, &yield);
	ck_assert_int_eq((int)t.credit_ms, 1000);
	/* Who has worked more has more. */
	v.now_ms += 1000;
	v.cpu_ms += 8000;
	(void)thrift_look(&t, &r, &v, &yield);
	ck_assert_int_eq((int)t.credit_ms, 1080);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("thrift");
	TCase *tc = tcase_create("thrift");

	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, a_tiny_application_is_left_alone);
	tcase_add_test(tc, garbage_that_comes_back_at_once_is_tried_once);
	tcase_add_test(tc, a_warm_pool_shares_again_and_says_what_it_brought);
	tcase_add_test(
	    tc, what_goes_on_growing_is_reforked_as_often_as_the_bound_allows);
	tcase_add_test(tc, nothing_is_begun_before_the_interval_has_passed);
	tcase_add_test(tc, who_has_served_next_to_nothing_is_no_donor);
	tcase_add_test(tc, two_poor_yields_make_the_interval_longer);
	tcase_add_test(tc, the_budget_needs_room_for_the_next_mold);
	tcase_add_test(tc, what_leaks_is_not_handed_on);
	tcase_add_test(tc, cold_workers_promise_little);
	tcase_add_test(tc, a_pool_with_little_to_do_has_a_processors_share);
	return suite_run(suite);
}
