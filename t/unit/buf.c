/*
 * buf.c - the growing run of bytes.
 */
#include "base/buf.h"

#include <check.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "suite.h"

START_TEST(what_is_put_comes_out_in_order)
{
	struct buf b = BUF_INIT;
	char want[5000];
	size_t i;

	for (i = 0; i < sizeof(want); i++) {
		want[i] = (char)('a' + i % 26);
		ck_assert_int_eq(buf_put(&b, &want[i], 1), 0);
	}
	ck_assert_uint_eq(b.len, sizeof(want));
	ck_assert_mem_eq(b.data, want, sizeof(want));
	buf_fini(&b);
}
END_TEST

START_TEST(printf_grows_the_buffer_as_far_as_it_needs)
{
	struct buf b = BUF_INIT;

	ck_assert_int_eq(buf_puts(&b, "x="), 0);
	ck_assert_int_eq(buf_printf(&b, "%01000d;", 7), 0);
	ck_assert_uint_eq(b.len, 2 + 1000 + 1);
	ck_assert_int_eq(b.data[b.len - 1], ';');
	buf_fini(&b);
}
END_TEST

START_TEST(drop_takes_from_the_front)
{
	struct buf b = BUF_INIT;

	ck_assert_int_eq(buf_puts(&b, "head body"), 0);
	buf_drop(&b, 5);
	ck_assert_str_eq(buf_cstr(&b), "body");
	buf_drop(&b, b.len);
	ck_assert_uint_eq(b.len, 0);
	buf_drop(&b, 0);
	buf_fini(&b);
}
END_TEST

START_TEST(an_empty_buffer_is_an_empty_string)
{
	struct buf b = BUF_INIT;

	buf_drop(&b, 0);
	ck_assert_int_eq(buf_put(&b, NULL, 0), 0);
	ck_assert_str_eq(buf_cstr(&b), "");
	ck_assert_uint_eq(b.len, 0);
	buf_fini(&b);
	ck_assert_ptr_null(b.data);
}
END_TEST

START_TEST(reset_keeps_the_memory)
{
	struct buf b = BUF_INIT;
	size_t cap;

	ck_assert_int_eq(buf_reserve(&b, 3000), 0);
	cap = b.cap;
	ck_assert_uint_ge(cap, 3000);
	buf_reset(&b);
	ck_assert_uint_eq(b.cap, cap);
	buf_fini(&b);
}
END_TEST

START_TEST(an_impossible_size_is_refused_and_nothing_lost)
{
	struct buf b = BUF_INIT;

	ck_assert_int_eq(buf_puts(&b, "kept"), 0);
	ck_assert_int_eq(buf_reserve(&b, SIZE_MAX - 2), -ENOMEM);
	ck_assert_int_eq(buf_reserve(&b, SIZE_MAX / 2), -ENOMEM);
	ck_assert_str_eq(buf_cstr(&b), "kept");
	buf_fini(&b);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("buf");
	TCase *tc = tcase_create("buf");

	suite_add_tcase(suite, tc);
	tcase_add_test(tc, what_is_put_comes_out_in_order);
	tcase_add_test(tc, printf_grows_the_buffer_as_far_as_it_needs);
	tcase_add_test(tc, drop_takes_from_the_front);
	tcase_add_test(tc, an_empty_buffer_is_an_empty_string);
	tcase_add_test(tc, reset_keeps_the_memory);
	tcase_add_test(tc, an_impossible_size_is_refused_and_nothing_lost);
	return suite_run(suite);
}
