/*
 * environ.c - what is put for an exec is taken back after it.
 */
#include "base/environ.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "suite.h"

START_TEST(a_variable_that_was_not_set_is_unset_again)
{
	unsetenv("RFK_A");
	ck_assert_int_eq(environ_put("RFK_A", "1"), 0);
	ck_assert_str_eq(getenv("RFK_A"), "1");
	ck_assert_int_eq(environ_take_back(), 0);
	ck_assert_ptr_null(getenv("RFK_A"));
	ck_assert_ptr_null(getenv("REFORKD_PUT"));
	ck_assert_str_eq(environ_was_put("RFK_A"), "1");
}
END_TEST

START_TEST(the_users_value_comes_back_whatever_it_is)
{
	static const char *const values[] = { "", "2", "a=b=c", "x y\tz\n" };
	const char *was = values[_i];

	setenv("RFK_A", was, 1);
	ck_assert_int_eq(environ_put("RFK_A", "first"), 0);
	ck_assert_int_eq(environ_put("RFK_AB", "other"), 0);
	ck_assert_int_eq(environ_put("RFK_A", "second"), 0);
	ck_assert_str_eq(getenv("RFK_A"), "second");
	ck_assert_int_eq(environ_take_back(), 0);
	ck_assert_str_eq(getenv("RFK_A"), was);
	ck_assert_ptr_null(getenv("RFK_AB"));
	ck_assert_str_eq(environ_was_put("RFK_A"), "second");
}
END_TEST

START_TEST(a_default_yields_to_the_user)
{
	setenv("RFK_A", "", 1);
	unsetenv("RFK_B");
	ck_assert_int_eq(environ_default("RFK_A", "1"), 0);
	ck_assert_int_eq(environ_default("RFK_B", "1"), 0);
	ck_assert_str_eq(getenv("RFK_A"), "");
	ck_assert_int_eq(environ_take_back(), 0);
	ck_assert_ptr_null(environ_was_put("RFK_A"));
	ck_assert_str_eq(environ_was_put("RFK_B"), "1");
}
END_TEST

START_TEST(it_is_put_again_for_another_exec_but_what_was_forgotten)
{
	setenv("RFK_A", "user", 1);
	ck_assert_int_eq(environ_put("RFK_A", "1"), 0);
	ck_assert_int_eq(environ_put("RFK_B", "2"), 0);
	ck_assert_int_eq(environ_take_back(), 0);
	environ_forget("RFK_B");
	ck_assert_int_eq(environ_put_again(), 0);
	ck_assert_str_eq(getenv("RFK_A"), "1");
	ck_assert_ptr_null(getenv("RFK_B"));
	ck_assert_int_eq(environ_take_back(), 0);
	ck_assert_str_eq(getenv("RFK_A"), "user");
}
END_TEST

START_TEST(nothing_put_is_nothing_taken_back)
{
	ck_assert_int_eq(environ_take_back(), 0);
	ck_assert_ptr_null(environ_was_put("PATH"));
	ck_assert_ptr_nonnull(getenv("PATH"));
}
END_TEST

START_TEST(a_name_that_cannot_be_is_refused)
{
	ck_assert_int_eq(environ_put("", "1"), -EINVAL);
	ck_assert_int_eq(environ_put("A=B", "1"), -EINVAL);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("environ");
	TCase *t = tcase_create("environ");

	tcase_add_test(t, a_variable_that_was_not_set_is_unset_again);
	tcase_add_loop_test(t, the_users_value_comes_back_whatever_it_is, 0, 4);
	tcase_add_test(t, a_default_yields_to_the_user);
	tcase_add_test(
	    t, it_is_put_again_for_another_exec_but_what_was_forgotten);
	tcase_add_test(t, nothing_put_is_nothing_taken_back);
	tcase_add_test(t, a_name_that_cannot_be_is_refused);
	suite_add_tcase(s, t);
	return suite_run(s);
}
