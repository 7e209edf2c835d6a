/*
 * advise.c - the rules, on numbers of real runs: three workers, 200,000 strings
 * kept at preload, requests that take megabytes from malloc; on three Rubies.
 */
#include "ctl/advise.h"

#include <check.h>
#include <string.h>

#include "ctl/pages.h"
#include "suite.h"

static struct advise
ruby31(void)
{
	return (struct advise){ .major = 3,
		.minor = 1,
		.preload_count = 26,
		.preload_ms = 88,
		.heaps = 1,
		.heap = { { 40, 219760, 652943, 652564 } },
		.workers = 3,
		.requests = 600,
		.gc_count = 240,
		.major_count = 34,
		.gc_ms = 773,
		.allocated = 3621444,
		.by_newobj = 28,
		.by_malloc = 212,
		.major_oldmalloc = 24,
		.malloc_samples = 47,
		.malloc_sum = 368069560,
		.malloc_max = 20016048,
		.malloc_limit = 33554432,
		.oldmalloc_limit = 67978142,
		.threads = 1,
		.arenas = 1,
		.malloc_kb = 306483 };
}

static struct advise
ruby33(void)
{
	return (struct advise){ .major = 3,
		.minor = 3,
		.preload_count = 53,
		.preload_ms = 54,
		.heaps = 5,
		.heap = { { 40, 15472, 535430, 531290 },
		    { 80, 203674, 206238, 203769 }, { 160, 1299, 2862, 1347 },
		    { 320, 19, 204, 19 }, { 640, 76, 102, 76 } },
		.workers = 3,
		.requests = 600,
		.gc_count = 324,
		.major_count = 34,
		.gc_ms = 881,
		.allocated = 3622921,
		.by_newobj = 39,
		.by_malloc = 279,
		.major_oldmalloc = 24,
		.malloc_samples = 56,
		.malloc_sum = 640140000,
		.malloc_max = 20119344,
		.malloc_limit = 33554432,
		.oldmalloc_limit = 67978141,
		.threads = 1,
		.arenas = 1,
		.malloc_kb = 199372 };
}

static struct advise
ruby34(void)
{
	return (struct advise){ .major = 3,
		.minor = 4,
		.preload_count = 14,
		.preload_ms = 46,
		.heaps = 5,
		.heap = { { 40, 14851, 450287, 448851 },
		    { 80, 204181, 206237, 204284 }, { 160, 1316, 2862, 1365 },
		    { 320, 17, 408, 17 }, { 640, 65, 305, 65 } },
		.workers = 3,
		.requests = 600,
		.gc_count = 336,
		.major_count = 93,
		.gc_ms = 2108,
		.allocated = 3617387,
		.by_newobj = 83,
		.by_malloc = 253,
		.major_oldmalloc = 22,
		.malloc_samples = 40,
		.malloc_sum = 392440880,
		.malloc_max = 20119344,
		.malloc_limit = 33554432,
		.oldmalloc_limit = 61822715,
		.threads = 1,
		.arenas = 1,
		.malloc_kb = 184832 };
}

static struct buf out;
static const char *text;
static int n;

static void
run(const struct advise *in)
{
	buf_reset(&out);
	n = advise_lines(in, &out);
	ck_assert_int_ge(n, 0);
	text = buf_cstr(&out);
	ck_assert_ptr_nonnull(text);
}

/* "NAME=value" stands on a line of its own. */
static int
has(const char *line)
{
	const char *at = strstr(text, line);

	return at != NULL && (at == text || at[-1] == '\n') &&
	       at[strlen(line)] == '\n';
}

static void
set(struct advise *a, const char *name, const char *value)
{
	a->setting[a->settings].name = name;
	a->setting[a->settings++].value = value;
}

START_TEST(ruby_3_1_has_one_heap)
{
	struct advise a = ruby31();

	run(&a);
	ck_assert(has("RUBY_GC_HEAP_INIT_SLOTS=242000"));
	ck_assert(has("RUBY_GC_MALLOC_LIMIT=64M"));
	ck_assert(has("RUBY_GC_MALLOC_LIMIT_MAX=128M"));
	ck_assert(has("RUBY_GC_OLDMALLOC_LIMIT=64M"));
	ck_assert_ptr_null(strstr(text, "RUBY_GC_HEAP_0"));
	ck_assert_int_eq(n, 4);
}
END_TEST

START_TEST(ruby_3_3_has_five)
{
	struct advise a = ruby33();

	run(&a);
	ck_assert(has("RUBY_GC_HEAP_0_INIT_SLOTS=18000"));
	ck_assert(has("RUBY_GC_HEAP_1_INIT_SLOTS=225000"));
	ck_assert(has("RUBY_GC_MALLOC_LIMIT=88M"));
	ck_assert(has("RUBY_GC_MALLOC_LIMIT_MAX=176M"));
	ck_assert_ptr_null(strstr(text, "RUBY_GC_HEAP_INIT_SLOTS"));
	ck_assert_ptr_null(strstr(text, "HEAP_2"));
}
END_TEST

START_TEST(ruby_3_4_likewise)
{
	struct advise a = ruby34();

	run(&a);
	ck_assert(has("RUBY_GC_HEAP_1_INIT_SLOTS=225000"));
	ck_assert(has("RUBY_GC_MALLOC_LIMIT=80M"));
	ck_assert(has("RUBY_GC_OLDMALLOC_LIMIT=64M"));
}
END_TEST

START_TEST(rubies_that_cannot_be_told_are_not)
{
	struct advise a = ruby33();

	a.minor = 2; /* five heaps, no variable */
	run(&a);
	ck_assert_ptr_null(strstr(text, "INIT_SLOTS"));
	a.major = 4;
	a.minor = 0;
	run(&a);
	ck_assert_ptr_nonnull(strstr(text, "RUBY_GC_HEAP_1_INIT_SLOTS"));
	a.minor = 1; /* bytes instead */
	run(&a);
	ck_assert_ptr_null(strstr(text, "INIT_SLOTS"));
}
END_TEST

START_TEST(what_is_set_already_is_not_said_again)
{
	struct advise a = ruby33();

	set(&a, "RUBY_GC_HEAP_0_INIT_SLOTS", "18000");
	set(&a, "RUBY_GC_HEAP_1_INIT_SLOTS", "300000");
	set(&a, "RUBY_GC_MALLOC_LIMIT", "128M");
	set(&a, "RUBY_GC_OLDMALLOC_LIMIT", "512m");
	run(&a);
	ck_assert_int_eq(n, 0);
	ck_assert_ptr_nonnull(strstr(text, "# Ruby's own values fit"));
}
END_TEST

START_TEST(a_limit_that_is_raised_starts_from_what_is_set)
{
	struct advise a = ruby31();

	set(&a, "RUBY_GC_MALLOC_LIMIT", "40M");
	set(&a, "RUBY_GC_MALLOC_LIMIT_MAX", "1G");
	run(&a);
	ck_assert(has("RUBY_GC_MALLOC_LIMIT=80M"));
	ck_assert_ptr_null(strstr(text, "RUBY_GC_MALLOC_LIMIT_MAX"));
	ck_assert_ptr_nonnull(strstr(text, "the limit is 40 MB"));
}
END_TEST

START_TEST(few_requests_judge_nothing_but_preload)
{
	struct advise a = ruby34();

	a.requests = ADVISE_REQUESTS_MIN - 1;
	run(&a);
	ck_assert_ptr_nonnull(strstr(text, "INIT_SLOTS"));
	ck_assert_ptr_null(strstr(text, "MALLOC"));
	ck_assert_ptr_nonnull(strstr(text, "too few to judge by"));
}
END_TEST

START_TEST(no_numbers_are_no_advice)
{
	struct advise a = { .major = 3, .minor = 3 };

	run(&a);
	ck_assert_int_eq(n, 0);
}
END_TEST

START_TEST(objects_without_barriers_and_old_ones)
{
	struct advise a = ruby33();

	a.major_shady = 10;
	a.major_oldgen = 13;
	run(&a);
	ck_assert(has("RUBY_GC_HEAP_REMEMBERED_WB_UNPROTECTED_OBJECTS_LIMIT_"
		      "RATIO=0.02"));
	ck_assert(has("RUBY_GC_HEAP_OLDOBJECT_LIMIT_FACTOR=3.0"));
	a.minor = 1; /* does not read the first */
	run(&a);
	ck_assert_ptr_null(strstr(text, "RATIO"));
	ck_assert(has("RUBY_GC_HEAP_OLDOBJECT_LIMIT_FACTOR=3.0"));
}
END_TEST

START_TEST(a_heap_that_stands_empty_grows_in_smaller_steps)
{
	/* fluentd's, when it leaked: 83 % of 16.7 million slots were free. */
	struct advise a = { .major = 3,
		.minor = 1,
		.heaps = 1,
		.heap = { { 40, 9000, 16678344, 2798549 } },
		.workers = 1,
		.requests = 1000 };

	run(&a);
	ck_assert(has("RUBY_GC_HEAP_GROWTH_FACTOR=1.25"));
	ck_assert(has("RUBY_GC_HEAP_GROWTH_MAX_SLOTS=300000"));
	ck_assert_ptr_nonnull(strstr(text, "83 % of a worker's 16678344"));
}
END_TEST

START_TEST(many_arenas_of_many_threads_are_a_line_of_the_file)
{
	struct advise a = ruby31();

	a.arenas = 9;
	run(&a);
	ck_assert_ptr_null(strstr(text, "arena_max"));
	a.threads = 5;
	run(&a);
	ck_assert_ptr_nonnull(strstr(text, "#   malloc arena_max: 2\n"));
	set(&a, "LD_PRELOAD", "/usr/lib/libjemalloc.so.2");
	run(&a);
	ck_assert_ptr_null(strstr(text, "arena_max"));
}
END_TEST

/* Rule 2: what it settles at counts as far as a request goes. */
START_TEST(a_heap_that_has_settled)
{
	/* churn on 3.3: 0.5 M live objects, 5,000 requests by 2 workers. */
	struct advise a = { .major = 3,
		.minor = 3,
		.heaps = 2,
		.heap = { { 40, 401000, 640000, 500000, 30000000 },
		    { 80, 250000, 282000, 255000, 10000000 } },
		.workers = 2,
		.requests = 5000,
		.allocated = 40000000,
		.half_requests = 1024,
		.half_slots = 920000,
		.all_slots = 922000 };

	run(&a);
	/* 401,000 and a tenth, and 6,000 that a request takes */
	ck_assert(has("RUBY_GC_HEAP_0_INIT_SLOTS=448000"));
	ck_assert_ptr_nonnull(strstr(text,
	    "a request allocates 6000 of them, a worker has settled at "
	    "640000 (as after 1024 requests)"));
	/* 2,000 more are not worth a word. */
	ck_assert(has("RUBY_GC_HEAP_1_INIT_SLOTS=275000"));
	/* No more than it settled at. */
	a.heap[0].slots = 446000;
	run(&a);
	ck_assert(has("RUBY_GC_HEAP_0_INIT_SLOTS=446000"));
	/* It still grows, or has not worked enough. */
	a.heap[0].slots = 640000;
	a.all_slots = 940000;
	run(&a);
	ck_assert(has("RUBY_GC_HEAP_0_INIT_SLOTS=442000"));
	ck_assert_ptr_null(strstr(text, "settled"));
	a.all_slots = 922000;
	a.half_requests = 256;
	run(&a);
	ck_assert(has("RUBY_GC_HEAP_0_INIT_SLOTS=442000"));
	/* Within 1 % of what is set. */
	a.half_requests = 1024;
	set(&a, "RUBY_GC_HEAP_0_INIT_SLOTS", "444000");
	set(&a, "RUBY_GC_HEAP_1_INIT_SLOTS", "277000");
	run(&a);
	ck_assert_int_eq(n, 0);
}
END_TEST

/* Rule 8, of t/bench/gc's rows. */
START_TEST(collections_inside_that_could_be_between)
{
	struct advise a = { .major = 3,
		.minor = 1,
		.workers = 2,
		.requests = 20008,
		.by_newobj = 200,
		.by_malloc = 114,
		.misses = 314,
		.gc_in_us = 2322000 };

	run(&a);
	ck_assert_ptr_nonnull(strstr(text, "116.1 ms in 1,000 requests"));
	ck_assert_ptr_nonnull(strstr(text, "#   oob_gc true\n"));
	a.hits = 217; /* less than 20 to 1 */
	run(&a);
	ck_assert_ptr_nonnull(strstr(text, "#   oob_gc guard: 0.5\n"));
	ck_assert_ptr_null(strstr(text, "oob_gc true"));
	a.by_malloc = 201; /* rule 3's */
	run(&a);
	ck_assert_ptr_null(strstr(text, "guard"));
	a.by_malloc = 0;
	a.hits = 20 * a.misses;
	run(&a);
	ck_assert_int_eq(n, 0);
	a.hits = a.misses = 9; /* chance */
	run(&a);
	ck_assert_ptr_null(strstr(text, "guard"));
}
END_TEST

START_TEST(collections_that_nobody_would_notice)
{
	struct advise a = { .major = 3,
		.minor = 4,
		.workers = 2,
		.requests = 20000,
		.hits = 40,
		.gc_out_us = 90000 };

	run(&a);
	ck_assert_ptr_nonnull(
	    strstr(text, "4.5 ms in 1,000 requests (one in 500)"));
	ck_assert_ptr_nonnull(strstr(text, "#   oob_gc false\n"));
	ck_assert_int_eq(n, 1);
	a.gc_out_us = 110000;
	run(&a);
	ck_assert_int_eq(n, 0);
	a.gc_out_us = 90000;
	a.requests = ADVISE_IDLE_MIN - 1;
	run(&a);
	ck_assert_int_eq(n, 0);
}
END_TEST

/* Rule 10 */
START_TEST(a_mold_full_of_holes)
{
	struct advise a = { .major = 3,
		.minor = 3,
		.mold_slots = 816000,
		.mold_live = 530000 };

	run(&a);
	ck_assert_ptr_nonnull(strstr(text, "35 % of the mold's 816000 slots"));
	ck_assert_ptr_nonnull(strstr(text, "#   heap_preparation true"));
	a.mold_compactions = 1;
	run(&a);
	ck_assert_int_eq(n, 0);
	a.mold_compactions = 0;
	a.mold_live = 620000;
	run(&a);
	ck_assert_int_eq(n, 0);
	a.mold_slots = 29011; /* not worth a word */
	a.mold_live = 10000;
	run(&a);
	ck_assert_int_eq(n, 0);
}
END_TEST

/* Rule 11 */
START_TEST(a_batch_begins_with_what_it_ends_with)
{
	struct advise a = ruby31();

	a.is_batch = true;
	a.requests = 0;
	run(&a);
	ck_assert(has("RUBY_GC_HEAP_INIT_SLOTS=653000"));
	ck_assert_ptr_null(strstr(text, "too few"));
	ck_assert_ptr_null(strstr(text, "MALLOC"));
	a.rss_peak_kb = 2600u << 10;
	run(&a);
	ck_assert(has("RUBY_GC_MALLOC_LIMIT=512M"));
	ck_assert(has("RUBY_GC_MALLOC_LIMIT_MAX=512M"));
	ck_assert(has("RUBY_GC_OLDMALLOC_LIMIT=512M"));
	ck_assert(has("RUBY_GC_OLDMALLOC_LIMIT_MAX=512M"));
	ck_assert_ptr_nonnull(strstr(text, "2.5 GB of RSS"));
	set(&a, "RUBY_GC_OLDMALLOC_LIMIT_MAX", "1G");
	run(&a);
	ck_assert_ptr_null(strstr(text, "OLDMALLOC_LIMIT_MAX"));
	a = ruby34(); /* five heaps */
	a.is_batch = true;
	run(&a);
	ck_assert(has("RUBY_GC_HEAP_0_INIT_SLOTS=449000"));
	ck_assert(has("RUBY_GC_HEAP_1_INIT_SLOTS=205000"));
}
END_TEST

START_TEST(every_line_can_be_pasted)
{
	struct advise a = _i == 0 ? ruby31() : _i == 1 ? ruby33() : ruby34();
	const char *p;

	a.arenas = a.threads = 5;
	a.misses = 300;
	a.gc_in_us = 800000;
	a.mold_slots = 300000;
	run(&a);
	for (p = text; *p != '\0'; p = strchr(p, '\n') + 1)
		ck_assert(*p == '#' || strncmp(p, "RUBY_GC_", 8) == 0);
}
END_TEST

/* pages.h: what a mapping is */

static const struct {
	const char *before, *line;
	enum page_kind kind;
} mappings[] = {
	{ NULL, "55d0a0000000-55d0a0021000 rw-p 00000000 00:00 0 [heap]\n",
	    PAGE_MALLOC },
	{ NULL, "7f0000000000-7f0000021000 rw-p 00000000 00:00 0 \n",
	    PAGE_MALLOC },
	{ NULL, "7ffc00000000-7ffc00021000 rw-p 00000000 00:00 0 [stack]\n",
	    PAGE_STACK },
	{ "7f1000000000-7f1000001000 ---p 00000000 00:00 0 \n",
	    "7f1000001000-7f1000801000 rw-p 00000000 00:00 0 \n", PAGE_STACK },
	/* The unused rest of an arena, and then the next one. */
	{ "7f1000021000-7f1004000000 ---p 00000000 00:00 0 \n",
	    "7f1004000000-7f1004021000 rw-p 00000000 00:00 0 \n", PAGE_MALLOC },
	{ NULL, "7f2000000000-7f2000010000 r-xp 00000000 00:00 0 \n",
	    PAGE_CODE },
	{ NULL,
	    "7f3000000000-7f3000010000 r-xp 00000000 08:01 42 /usr/lib/a.so\n",
	    PAGE_CODE },
	{ NULL,
	    "7f3000000000-7f3000010000 rw-s 00000000 00:01 7 /memfd:board\n",
	    PAGE_OTHER },
	{ NULL, "7f4000000000-7f4000010000 rw-p 00000000 00:00 0 [anon:x y]\n",
	    PAGE_MALLOC },
	{ NULL, "no mapping at all\n", PAGE_OTHER },
};

START_TEST(a_mapping_is_what_it_looks_like)
{
	ck_assert_int_eq(
	    (int)pages_kind(mappings[_i].line, mappings[_i].before),
	    (int)mappings[_i].kind);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("advise");
	TCase *t = tcase_create("advise");

	tcase_add_test(t, ruby_3_1_has_one_heap);
	tcase_add_test(t, ruby_3_3_has_five);
	tcase_add_test(t, ruby_3_4_likewise);
	tcase_add_test(t, rubies_that_cannot_be_told_are_not);
	tcase_add_test(t, what_is_set_already_is_not_said_again);
	tcase_add_test(t, a_limit_that_is_raised_starts_from_what_is_set);
	tcase_add_test(t, few_requests_judge_nothing_but_preload);
	tcase_add_test(t, no_numbers_are_no_advice);
	tcase_add_test(t, objects_without_barriers_and_old_ones);
	tcase_add_test(t, a_heap_that_stands_empty_grows_in_smaller_steps);
	tcase_add_test(t, many_arenas_of_many_threads_are_a_line_of_the_file);
	tcase_add_test(t, a_heap_that_has_settled);
	tcase_add_test(t, collections_inside_that_could_be_between);
	tcase_add_test(t, collections_that_nobody_would_notice);
	tcase_add_test(t, a_mold_full_of_holes);
	tcase_add_test(t, a_batch_begins_with_what_it_ends_with);
	tcase_add_loop_test(t, every_line_can_be_pasted, 0, 3);
	tcase_add_loop_test(t, a_mapping_is_what_it_looks_like, 0,
	    (int)(sizeof(mappings) / sizeof(mappings[0])));
	suite_add_tcase(s, t);
	return suite_run(s);
}
