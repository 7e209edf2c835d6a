/* holes.c - after it, what is allocated lies apart from what was there. */
#include "base/holes.h"

#include <check.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "suite.h"

enum { PIECES = 2000, SIZE = 200, LATER = 50 };

static char *piece[PIECES];

static bool
lies_between(const char *p)
{
	return p > piece[0] && p < piece[PIECES - 1];
}

/* Neighbours that stay, as the data of an application that has loaded. */
static void
make_holes(void)
{
	int i;

	for (i = 0; i < PIECES; i++) {
		piece[i] = malloc(SIZE);
		ck_assert_ptr_nonnull(piece[i]);
	}
	for (i = 1; i < PIECES - 1; i += 2)
		free(piece[i]);
}

static int
count_between(size_t size)
{
	char *p[LATER];
	int i, n = 0;

	for (i = 0; i < LATER; i++) {
		p[i] = malloc(size);
		n += lies_between(p[i]);
	}
	for (i = 0; i < LATER; i++)
		free(p[i]);
	return n;
}

START_TEST(a_child_allocates_side_by_side)
{
	struct holes filled;

	if (mallinfo2().arena == 0)
		return; /* it is a sanitizer's malloc */
	make_holes();
	filled = holes_fill();
	ck_assert_uint_ge(filled.count, PIECES / 2 - 2);
	ck_assert_uint_ge(filled.bytes, filled.count * SIZE);
	ck_assert_int_eq(count_between(SIZE), 0);
	ck_assert_int_eq(count_between(24), 0);
}
END_TEST

START_TEST(the_next_mold_has_them_again)
{
	struct holes filled;

	if (mallinfo2().arena == 0)
		return;
	make_holes();
	filled = holes_fill();
	holes_free();
	ck_assert_int_gt(count_between(SIZE), 0);
	/* Again, and no less. */
	ck_assert_uint_ge(holes_fill().count + 2, filled.count);
	ck_assert_int_eq(count_between(SIZE), 0);
}
END_TEST

START_TEST(large_ones_are_left)
{
	uintptr_t large, behind;
	void *p;

	if (mallinfo2().arena == 0)
		return;
	p = malloc(32 * 1024);
	large = (uintptr_t)p;
	behind = (uintptr_t)malloc(32 * 1024);
	free(p);
	(void)holes_fill();
	p = malloc(12 * 1024);
	ck_assert_uint_ge((uintptr_t)p, large);
	ck_assert_uint_lt((uintptr_t)p, behind);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("holes");
	TCase *tc = tcase_create("holes");

	tcase_add_test(tc, a_child_allocates_side_by_side);
	tcase_add_test(tc, the_next_mold_has_them_again);
	tcase_add_test(tc, large_ones_are_left);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
