/*
 * title.c - what /proc, and so ps, shows for a process.
 */
#include "base/title.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/fd.h"
#include "suite.h"

static int argc;
static char **argv;
static char old_path[4096];

/* As ps prints it: the NULs at the end do not show. */
static const char *
shown(void)
{
	static char out[8192];

	ck_assert_int_ge(
	    fd_read_file("/proc/self/cmdline", out, sizeof(out)), 0);
	return out;
}

START_TEST(a_title_shows_and_a_shorter_one_replaces_it)
{
	title_set("reforkd master %d: %s", 7, "serving");
	ck_assert_str_eq(shown(), "reforkd master 7: serving");
	title_set("short");
	ck_assert_str_eq(shown(), "short");
	title_set("a longer title than argv has ever had room for, by far");
	ck_assert_str_eq(
	    shown(), "a longer title than argv has ever had room for, by far");
}
END_TEST

START_TEST(a_title_longer_than_all_the_room_is_cut)
{
	char text[100];
	int i;

	memset(text, 'x', sizeof(text));
	/* The environment's strings lie in the area: they must not show. */
	title_set("%.*s%060000d", (int)sizeof(text), text, 1);
	ck_assert_int_eq(strncmp(shown(), text, sizeof(text)), 0);
	for (i = 0; i < 3; i++)
		title_set("again");
	ck_assert_str_eq(shown(), "again");
}
END_TEST

START_TEST(arguments_and_environment_survive)
{
	title_set("%01000d", 0);
	ck_assert_str_eq(getenv("PATH"), old_path);
	ck_assert_str_eq(program_invocation_name, argv[0]);
	ck_assert_ptr_nonnull(strstr(argv[0], "title"));
	ck_assert_str_eq(program_invocation_short_name,
	    strrchr(argv[0], '/') != NULL ? strrchr(argv[0], '/') + 1
					  : argv[0]);
	ck_assert_int_eq(setenv("PATH", "/elsewhere", 1), 0);
	ck_assert_int_eq(setenv("REFORKD_NEW", "1", 1), 0);
	ck_assert_str_eq(getenv("PATH"), "/elsewhere");
	ck_assert_ptr_null(argv[argc]);
}
END_TEST

START_TEST(a_reason_returns_its_error_and_grows_at_the_front)
{
	struct fail why = FAIL_INIT;

	ck_assert_int_eq(fail_set(&why, ENOENT, "no %s", "file"), -ENOENT);
	ck_assert_int_eq(fail_in(&why, "app.conf:%d", 3), -ENOENT);
	ck_assert_str_eq(why.text, "app.conf:3: no file");
	ck_assert_int_eq(fail_set(&why, 0, "was: %s", why.text), -ECANCELED);
	ck_assert_str_eq(why.text, "was: app.conf:3: no file");
	ck_assert_int_eq(fail_in(&why, "x"), -ECANCELED);
}
END_TEST

START_TEST(a_reason_that_is_too_long_is_cut)
{
	struct fail why = FAIL_INIT;

	ck_assert_int_eq(fail_set(&why, 1, "%02000d", 0), -1);
	ck_assert_uint_eq(strlen(why.text), sizeof(why.text) - 1);
	ck_assert_int_eq(fail_in(&why, "where"), -1);
	ck_assert_int_eq(strncmp(why.text, "where: 000", 10), 0);
	ck_assert_uint_eq(strlen(why.text), sizeof(why.text) - 1);
	ck_assert_int_eq(fail_in(&why, "%02000d", 7), -1);
	ck_assert_uint_le(strlen(why.text), sizeof(why.text) - 1);
}
END_TEST

int
main(int real_argc, char **real_argv)
{
	Suite *suite = suite_create("title");
	TCase *tc = tcase_create("title and fail");

	strncpy(old_path, getenv("PATH"), sizeof(old_path) - 1);
	argc = real_argc;
	argv = real_argv;
	if (title_init(argc, argv) < 0)
		return EXIT_FAILURE;
	suite_add_tcase(suite, tc);
	tcase_add_test(tc, a_title_shows_and_a_shorter_one_replaces_it);
	tcase_add_test(tc, a_title_longer_than_all_the_room_is_cut);
	tcase_add_test(tc, arguments_and_environment_survive);
	tcase_add_test(tc, a_reason_returns_its_error_and_grows_at_the_front);
	tcase_add_test(tc, a_reason_that_is_too_long_is_cut);
	return suite_run(suite);
}
