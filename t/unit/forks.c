/* Forks are counted, and what leaves no copy is not. */
#include <check.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/forks.h"
#include "suite.h"

extern char **environ;

static void
child_ends(pid_t pid)
{
	ck_assert_int_gt(pid, 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

START_TEST(who_does_not_watch_cannot_be_sure)
{
	unsigned before = forks_seen();

	ck_assert_uint_ne(forks_seen(), before);
}
END_TEST

START_TEST(a_fork_is_seen_by_the_parent)
{
	unsigned before;
	pid_t pid;

	forks_watch();
	forks_watch();
	before = forks_seen();
	ck_assert_uint_eq(forks_seen(), before);
	pid = fork();
	if (pid == 0)
		_exit(0);
	child_ends(pid);
	ck_assert_uint_eq(forks_seen(), before + 1);
}
END_TEST

START_TEST(a_spawned_program_is_none)
{
	char name[] = "true";
	char *argv[] = { name, NULL };
	unsigned before;
	pid_t pid = 0;

	forks_watch();
	before = forks_seen();
	ck_assert_int_eq(
	    posix_spawnp(&pid, "true", NULL, NULL, argv, environ), 0);
	child_ends(pid);
	ck_assert_uint_eq(forks_seen(), before);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("forks");
	TCase *t = tcase_create("count");

	suite_add_tcase(s, t);
	tcase_add_test(t, who_does_not_watch_cannot_be_sure);
	tcase_add_test(t, a_fork_is_seen_by_the_parent);
	tcase_add_test(t, a_spawned_program_is_none);
	return suite_run(s);
}
