/*
 * fault.c - places where a test may make a process die or fail.
 */
#include "base/fault.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "suite.h"

static const char *self; /* this program, to be exec'd */

static void
setup(void)
{
	(void)unsetenv("REFORKD_FAULT");
	(void)unsetenv("REFORKD_FAULT_FD");
	(void)unsetenv("REFORKD_FAULT_FILE");
}

static void
faults(const char *text)
{
	ck_assert_int_eq(setenv("REFORKD_FAULT", text, 1), 0);
	fault_init();
}

static int
status_of(pid_t pid)
{
	int status;

	ck_assert_int_eq(waitpid(pid, &status, WUNTRACED), pid);
	return status;
}

/* How a child ends that passes the place; 42 when it goes on. */
static int
pass(const char *place)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		fault_at(place);
		_exit(42);
	}
	status = status_of(pid);
	if (WIFSTOPPED(status)) {
		ck_assert_int_eq(kill(pid, SIGKILL), 0);
		(void)status_of(pid);
	}
	return status;
}

static bool
goes_on(const char *place)
{
	int status = pass(place);

	return WIFEXITED(status) && WEXITSTATUS(status) == 42;
}

START_TEST(without_the_variable_nothing_happens)
{
	fault_init();
	fault_at("here");
	ck_assert(!fault_fails("here"));
	ck_assert_ptr_null(getenv("REFORKD_FAULT_FD"));
	faults("");
	ck_assert(!fault_fails(""));
	ck_assert_ptr_null(getenv("REFORKD_FAULT_FD"));
}
END_TEST

START_TEST(each_action_does_what_it_says)
{
	int status;

	faults("a:kill,b:stop,c:exit,d:fail");
	status = pass("a");
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	status = pass("b");
	ck_assert(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	status = pass("c");
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	fault_at("d"); /* a place that cannot fail takes nothing away */
	ck_assert(fault_fails("d"));
	ck_assert(!fault_fails("d"));
	ck_assert(goes_on("elsewhere"));
}
END_TEST

START_TEST(a_wait_wears_out_only_when_told)
{
	struct timespec before, after;
	int i;

	faults("slow:wait=3,slow:kill*1,once:wait=1*1,bad:wait,worse:kill=3");
	clock_gettime(CLOCK_MONOTONIC, &before);
	ck_assert(!goes_on("slow")); /* what follows it still fires */
	for (i = 0; i < 20; i++)
		ck_assert(goes_on("slow"));
	fault_at("slow");
	clock_gettime(CLOCK_MONOTONIC, &after);
	ck_assert_int_lt(after.tv_sec - before.tv_sec, 10);
	ck_assert(!fault_fails("slow"));
	ck_assert(goes_on("once"));
	ck_assert(goes_on("bad"));
	ck_assert(goes_on("worse"));
}
END_TEST

START_TEST(a_name_alone_is_a_switch)
{
	int i;

	faults("getinfo,fork:fail");
	for (i = 0; i < 10; i++)
		ck_assert(fault_fails("getinfo"));
	ck_assert(goes_on("getinfo"));
	ck_assert(!fault_fails("getinf"));
}
END_TEST

START_TEST(counts_are_shared_with_children)
{
	faults("fork:fail*3,born:kill*2");
	ck_assert(!goes_on("born"));
	ck_assert(!goes_on("born"));
	ck_assert(goes_on("born"));
	ck_assert(fault_fails("fork"));
	ck_assert(fault_fails("fork"));
	ck_assert(fault_fails("fork"));
	ck_assert(!fault_fails("fork"));
}
END_TEST

START_TEST(a_generation_has_its_own_faults)
{
	faults("x:fail*2@0,x:fail@3");
	ck_assert(fault_fails("x"));
	fault_generation_set(1);
	ck_assert(!fault_fails("x"));
	fault_generation_set(3);
	ck_assert(fault_fails("x"));
	ck_assert(!fault_fails("x"));
	fault_generation_set(0);
	ck_assert(fault_fails("x"));
	ck_assert(!fault_fails("x"));
}
END_TEST

START_TEST(a_file_arms_them_late)
{
	char path[] = "/tmp/reforkd-fault-XXXXXX";
	int fd = mkstemp(path);

	ck_assert_int_eq(unlink(path), 0);
	fd_close(&fd);
	ck_assert_int_eq(setenv("REFORKD_FAULT_FILE", path, 1), 0);
	faults("x:fail");
	ck_assert(!fault_fails("x"));
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert(fault_fails("x"));
	ck_assert(!fault_fails("x"));
	ck_assert_int_eq(unlink(path), 0);
	fd_close(&fd);
}
END_TEST

static const char *const wrong[] = { ":kill", "x:", "x:die", "x:kill*",
	"x:kill*y", "x:kill*1@", "x:kill@", "x:kill@-1", "x:kill*-1",
	"x:kill@1*2", "x:kill*99999999999", "x:fail*2z",
	"an_extremely_long_name_that_no_place_in_the_source_has:fail" };

START_TEST(what_is_no_fault_is_said_and_ignored)
{
	char text[200], said[400] = "";
	int p[2];

	ck_assert_int_eq(pipe(p), 0);
	ck_assert_int_eq(dup2(p[1], STDERR_FILENO), STDERR_FILENO);
	(void)snprintf(text, sizeof(text), "%s,,good:fail", wrong[_i]);
	faults(text);
	ck_assert_int_gt(read(p[0], said, sizeof(said) - 1), 0);
	ck_assert_ptr_nonnull(strstr(said, wrong[_i]));
	ck_assert(goes_on("x"));
	ck_assert(!fault_fails("x"));
	ck_assert(fault_fails("good"));
}
END_TEST

START_TEST(more_faults_than_there_is_room_for_are_ignored)
{
	char text[1000] = "";
	size_t len = 0;
	int i;

	for (i = 0; i < 40; i++)
		len += (size_t)snprintf(
		    text + len, sizeof(text) - len, "f%d:fail,", i);
	faults(text);
	ck_assert(fault_fails("f31"));
	ck_assert(!fault_fails("f32"));
}
END_TEST

START_TEST(a_fault_that_fires_leaves_its_line)
{
	char said[400] = "";
	int p[2];

	ck_assert_int_eq(pipe(p), 0);
	ck_assert_int_eq(dup2(p[1], STDERR_FILENO), STDERR_FILENO);
	faults("before_spawned:kill");
	ck_assert(!goes_on("before_spawned"));
	ck_assert_int_gt(read(p[0], said, sizeof(said) - 1), 0);
	ck_assert_ptr_nonnull(strstr(said, "fault: kill at before_spawned"));
}
END_TEST

/* The other side: main() with an argument. 0 = it failed as asked. */
static int
after_exec(void)
{
	fault_init();
	return fault_fails("x") ? 0 : 1;
}

static int
exec_and_fail(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		(void)execl("/proc/self/exe", self, "after-exec", (char *)NULL);
		_exit(99);
	}
	status = status_of(pid);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

START_TEST(counts_travel_over_exec)
{
	faults("x:fail*3");
	ck_assert(fault_fails("x"));
	ck_assert_int_eq(exec_and_fail(), 0);
	ck_assert_int_eq(exec_and_fail(), 0);
	ck_assert_int_eq(exec_and_fail(), 1);
	ck_assert(!fault_fails("x"));
}
END_TEST

START_TEST(a_number_that_is_not_the_page_is_not_believed)
{
	static const char *const numbers[] = { "", "x", "0", "99999",
		"4294967294" };
	size_t i;

	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		ck_assert_int_eq(setenv("REFORKD_FAULT_FD", numbers[i], 1), 0);
		faults("x:fail");
		ck_assert(fault_fails("x"));
		ck_assert_str_ne(getenv("REFORKD_FAULT_FD"), numbers[i]);
	}
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, without_the_variable_nothing_happens);
	tcase_add_test(tc, each_action_does_what_it_says);
	tcase_add_test(tc, a_wait_wears_out_only_when_told);
	tcase_add_test(tc, a_name_alone_is_a_switch);
	tcase_add_test(tc, counts_are_shared_with_children);
	tcase_add_test(tc, a_generation_has_its_own_faults);
	tcase_add_test(tc, a_file_arms_them_late);
	tcase_add_loop_test(tc, what_is_no_fault_is_said_and_ignored, 0,
	    (int)(sizeof(wrong) / sizeof(wrong[0])));
	tcase_add_test(tc, more_faults_than_there_is_room_for_are_ignored);
	tcase_add_test(tc, a_fault_that_fires_leaves_its_line);
	tcase_add_test(tc, counts_travel_over_exec);
	tcase_add_test(tc, a_number_that_is_not_the_page_is_not_believed);
}

int
main(int argc, char **argv)
{
	Suite *suite;
	TCase *tc;

	self = argv[0];
	if (argc > 1 && strcmp(argv[1], "after-exec") == 0)
		return after_exec();
	suite = suite_create("fault");
	tc = tcase_create("fault");
	suite_add_tcase(suite, tc);
	add_tests(tc);
	return suite_run(suite);
}
