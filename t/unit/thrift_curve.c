/*
 * refork :auto beside the best list of counts, on the curve of an application
 * that goes on getting warm: 8 workers, a heap of 250 MB, Ruby 3.3. Measured
 * were what a worker has of its own after 20, 200 and 600 requests, booted and
 * reforked; the pool's PSS is that and 238 MB.
 */
#include "master/thrift.h"

#include <check.h>
#include <string.h>

#include "suite.h"

#define MB 1024.
#define WORKERS 8u
#define LOOK_MS 500u
#define BASE_MB 238.
/* While generations overlap: the next mold, for so long. */
#define OVERLAP_MB 100.
#define OVERLAP_MS 2000u

struct point {
	double requests, mb;
};

static const struct point booted[] = { { 0, .3 }, { 1, 4.4 }, { 20, 19.7 },
	{ 200, 65.4 }, { 1200, 172 }, { 12000, 1000 } };
static const struct point reforked[] = { { 0, .2 }, { 20, 7.9 }, { 200, 47.7 },
	{ 600, 106 }, { 12000, 1500 } };

static double
at(const struct point *p, double n)
{
	while (n > p[1].requests)
		p++;
	return p[0].mb + (p[1].mb - p[0].mb) * (n - p[0].requests) /
			     (p[1].requests - p[0].requests);
}

/* A pool under steady load, and what decides. */
struct pool {
	struct thrift thrift;
	struct thrift_rules rules;
	struct thrift_view view;
	double n;             /* requests of each worker since its fork */
	double rate;          /* a second */
	uint64_t cost_ms;     /* of each refork */
	uint64_t busy_ms;     /* succession under way for so long yet */
	uint64_t overlaps_ms; /* how long one takes */
	double stray_mb;      /* so far off is a look, this way and that */
	double before_mb;
	unsigned int list; /* requests, 0 = :auto */
	unsigned int reforks, poor;
};

static void
pool_init(struct pool *p, unsigned int list)
{
	memset(p, 0, sizeof(*p));
	p->rules = (struct thrift_rules){ .interval_ms = 5000, .cpu = 100 };
	p->view = (struct thrift_view){ .now_ms = 5000,
		.workers = WORKERS,
		.is_idle = true,
		.mold_rss_kb = (uint64_t)(60 * MB),
		.decay = .5 };
	p->rate = 2;
	p->cost_ms = 1000;
	p->overlaps_ms = OVERLAP_MS;
	p->list = list;
}

static double
pss_mb(const struct pool *p)
{
	double own =
	    at(p->view.generation > 0 ? reforked : booted, p->n) * WORKERS;

	return p->busy_ms > 0 ? p->before_mb + OVERLAP_MB : BASE_MB + own;
}

/* The candidate is asked for, or all are of the new generation. */
static void
succeed(struct pool *p, bool wanted)
{
	if (p->busy_ms > 0) {
		p->busy_ms -= LOOK_MS;
		if (p->busy_ms > 0)
			return;
		p->view.is_idle = true;
		p->view.generation++;
		p->n = 0;
		thrift_cost(&p->thrift, p->cost_ms);
		p->reforks++;
	} else if (wanted) {
		p->before_mb = pss_mb(p);
		p->busy_ms = p->overlaps_ms;
		p->view.is_idle = false;
	}
}

/* Runs it for so long: the mean PSS. */
static double
run(struct pool *p, unsigned int seconds)
{
	unsigned int looks = seconds * 1000 / LOOK_MS, i;
	struct thrift_yield y;
	char why[192];
	double sum = 0, mb, stray;
	bool wanted;

	for (i = 0; i < looks; i++) {
		p->view.now_ms += LOOK_MS;
		p->view.cpu_ms += LOOK_MS;
		p->n += p->rate * LOOK_MS / 1000;
		mb = pss_mb(p);
		sum += mb;
		stray = i % 3 == 1 ? p->stray_mb : i % 3 ? -p->stray_mb : 0;
		p->view.requests = (uint64_t)p->n;
		p->view.pss_kb = (uint64_t)((mb + stray) * MB);
		p->view.uss_kb = (uint64_t)((mb - BASE_MB + stray) * MB);
		p->view.rss_kb = (uint64_t)(300 * MB);
		p->view.fattest_kb = p->view.uss_kb / WORKERS;
		if (thrift_look(&p->thrift, &p->rules, &p->view, &y))
			p->poor += y.is_poor;
		wanted = p->list > 0 ? p->n >= p->list
				     : thrift_pays(&p->thrift, &p->rules,
					   &p->view, why, sizeof(why));
		succeed(p, wanted);
	}
	return sum / looks;
}

/* refork_cpu 0.01: what is there in advance, and a share of one processor. */
static uint64_t
may_cost_ms(unsigned int seconds)
{
	return THRIFT_CREDIT_MS + seconds * 10;
}

/* Of all lists of one count that cost no more than :auto may. */
static double
best_list(unsigned int seconds, double rate, uint64_t cost_ms)
{
	double best = 0, mb;
	struct pool p;
	unsigned int n;

	for (n = 5; n < 2000; n += n / 10 + 1) {
		pool_init(&p, n);
		p.rate = rate;
		p.cost_ms = cost_ms;
		mb = run(&p, seconds);
		if (p.reforks * cost_ms <= may_cost_ms(seconds) &&
		    (best <= 0 || mb < best))
			best = mb;
	}
	return best;
}

START_TEST(auto_is_as_good_as_the_best_list_that_costs_no_more)
{
	static const struct {
		double rate;
		uint64_t cost_ms;
	} kinds[] = { { 1, 1000 }, { 2, 200 }, { 2, 400 }, { 2, 1000 },
		{ 4, 400 } };
	static const unsigned int seconds[] = { 600, 3600 };
	unsigned int s = seconds[_i % 2];
	struct pool p;
	double best, mb;

	best = best_list(s, kinds[_i / 2].rate, kinds[_i / 2].cost_ms);
	pool_init(&p, 0);
	p.rate = kinds[_i / 2].rate;
	p.cost_ms = kinds[_i / 2].cost_ms;
	mb = run(&p, s);
	ck_assert_double_le(mb, best * 1.05);
	ck_assert_uint_le(p.reforks * p.cost_ms, may_cost_ms(s));
	ck_assert_uint_eq(p.poor, 0);
}
END_TEST

/* Two minutes in which a refork takes half of one, and figures stray. */
START_TEST(a_spell_of_overload_is_soon_forgotten)
{
	struct pool p, calm;
	double after, without;
	unsigned int was;

	pool_init(&calm, 0);
	calm.cost_ms = 200;
	(void)run(&calm, 450);
	pool_init(&p, 0);
	p.cost_ms = 200;
	(void)run(&p, 300);
	p.rate = .4;
	p.stray_mb = 60;
	p.overlaps_ms = 30000;
	(void)run(&p, 120);
	p.rate = 2;
	p.stray_mb = 0;
	p.overlaps_ms = OVERLAP_MS;
	was = p.reforks;
	(void)run(&p, 30);
	ck_assert_uint_gt(p.reforks, was);
	without = run(&calm, 300);
	after = run(&p, 300);
	ck_assert_double_le(after, without * 1.05);
}
END_TEST

/* Yields that were poor without a reason stop nothing for minutes. */
START_TEST(poor_yields_do_not_stop_it)
{
	struct pool p;
	unsigned int was;

	pool_init(&p, 0);
	p.cost_ms = 200;
	(void)run(&p, 300);
	p.thrift.poor = 1000;
	was = p.reforks;
	(void)run(&p, 60);
	ck_assert_uint_gt(p.reforks, was);
	(void)run(&p, 60);
	ck_assert_uint_eq(p.thrift.poor, 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("thrift_curve");
	TCase *tc = tcase_create("thrift_curve");

	suite_add_tcase(suite, tc);
	tcase_add_loop_test(
	    tc, auto_is_as_good_as_the_best_list_that_costs_no_more, 0, 10);
	tcase_add_test(tc, a_spell_of_overload_is_soon_forgotten);
	tcase_add_test(tc, poor_yields_do_not_stop_it);
	return suite_run(suite);
}
