/* The door to Ruby, the fork through it, and what refuses a fork. One VM for
 * all tests, so none of them runs in a fork of Check's. */
#include "ruby/try.h"

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <netinet/in.h>

#include "base/fd.h"
#include "ruby/reopen.h"
#include "ruby/threads.h"
#include "ruby/vm.h"

static struct ruby_error why;

static VALUE
eval_raises(VALUE p)
{
	return rb_funcall(rb_mKernel, rb_intern("eval"), 4,
	    rb_str_new_cstr((const char *)p), Qnil, rb_str_new_cstr("test"),
	    INT2FIX(1));
}

static int
eval(const char *code)
{
	char copy[512];

	snprintf(copy, sizeof(copy), "%s", code);
	return ruby_try(eval_raises, copy, &why);
}

START_TEST(what_does_not_raise_is_0)
{
	ck_assert_int_eq(eval("1 + 1"), 0);
}
END_TEST

START_TEST(an_exception_is_described)
{
	ck_assert_int_eq(eval("raise ArgumentError, 'too much'"), -ECANCELED);
	ck_assert_str_eq(why.class_name, "ArgumentError");
	ck_assert_str_eq(why.message, "too much");
	ck_assert_str_eq(why.where, "test:1");
	ck_assert(!why.is_exit && !why.is_signal);
	ck_assert(NIL_P(rb_errinfo()));
}
END_TEST

START_TEST(exit_is_an_answer)
{
	ck_assert_int_eq(eval("exit 3"), -ECANCELED);
	ck_assert(why.is_exit);
	ck_assert_int_eq(why.status, 3);
}
END_TEST

START_TEST(a_signal_is_one_too)
{
	ck_assert_int_eq(eval("raise SignalException, 'TERM'"), -ECANCELED);
	ck_assert(why.is_signal);
	ck_assert_int_eq(why.status, SIGTERM);
}
END_TEST

START_TEST(a_message_that_raises_is_survived)
{
	ck_assert_int_eq(eval("class Bad < StandardError\n"
			      "def message = raise('no')\nend\nraise Bad"),
	    -ECANCELED);
	ck_assert_str_eq(why.class_name, "Bad");
	ck_assert_str_ne(why.message, "");
}
END_TEST

START_TEST(a_long_message_is_cut)
{
	ck_assert_int_eq(eval("raise 'x' * 1_000_000"), -ECANCELED);
	ck_assert_uint_eq(strlen(why.message), sizeof(why.message) - 1);
}
END_TEST

START_TEST(a_zero_byte_cuts_nothing)
{
	ck_assert_int_eq(eval("raise \"a\\0b\""), -ECANCELED);
	ck_assert_str_eq(why.message, "a?b");
}
END_TEST

START_TEST(a_throw_without_its_catch_is_an_error)
{
	ck_assert_int_eq(eval("throw :nowhere"), -ECANCELED);
	ck_assert_str_eq(why.class_name, "UncaughtThrowError");
}
END_TEST

START_TEST(a_fork_runs_the_hooks_of_gems)
{
	int status;
	pid_t pid;

	ck_assert_int_eq(
	    eval("$hooked = []\n"
		 "Process.singleton_class.prepend(Module.new { def _fork\n"
		 "  raise 'not now' if $refuse\n"
		 "  super.tap { |pid| $hooked << pid.zero? }\nend })"),
	    0);
	pid = vm_fork(&why);
	if (pid == 0)
		_exit(eval("raise unless $hooked == [true]") == 0 ? 5 : 6);
	ck_assert_int_gt(pid, 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(WEXITSTATUS(status), 5);
	ck_assert_int_eq(eval("$refuse = true"), 0);
	ck_assert_int_eq(vm_fork(&why), -ECANCELED);
	ck_assert_str_eq(why.message, "not now");
	ck_assert_int_eq(eval("$refuse = false"), 0);
}
END_TEST

START_TEST(a_thread_that_sleeps_refuses_no_fork)
{
	char text[512];

	ck_assert_int_eq(eval("$t = Thread.new { sleep }\n"
			      "Thread.pass until $t.stop?"),
	    0);
	ck_assert_int_eq(threads_fork_safe(text, sizeof(text)), 1);
	ck_assert_ptr_nonnull(strstr(text, "is asleep"));
	ck_assert_ptr_nonnull(strstr(text, "test:1 "));
	ck_assert_int_eq(eval("$t.kill.join"), 0);
}
END_TEST

START_TEST(a_thread_that_runs_refuses_it_unless_it_is_marked)
{
	char text[512];

	ck_assert_int_eq(eval("$on = true; $t = Thread.new { 1 while $on }\n"
			      "$t.name = 'busy'"),
	    0);
	ck_assert_int_eq(threads_fork_safe(text, sizeof(text)), 0);
	ck_assert_ptr_nonnull(strstr(text, "thread \"busy\" started at"));
	ck_assert_ptr_nonnull(strstr(text, "is running"));
	ck_assert_int_eq(eval("$t.thread_variable_set(:fork_safe, true)"), 0);
	ck_assert_int_eq(threads_fork_safe(text, sizeof(text)), 1);
	ck_assert_ptr_nonnull(strstr(text, "marked fork_safe"));
	ck_assert_int_eq(eval("$on = false; $t.join"), 0);
}
END_TEST

static char prevented[512];

static VALUE
look(VALUE self)
{
	(void)self;
	return INT2NUM(threads_fork_safe(prevented, sizeof(prevented)));
}

START_TEST(prevent_fork_refuses_it_as_long_as_it_runs)
{
	char text[512];

	rb_define_global_function("look", look, 0);
	ck_assert_int_eq(
	    eval("Reforkd.prevent_fork { raise unless look == 0 }"), 0);
	ck_assert_ptr_nonnull(strstr(prevented, "Reforkd.prevent_fork at"));
	ck_assert_int_eq(eval("Reforkd.prevent_fork { raise }"), -ECANCELED);
	ck_assert_int_eq(threads_fork_safe(text, sizeof(text)), 1);
}
END_TEST

START_TEST(a_connected_socket_is_found_and_a_listener_is_not)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	struct sockaddr *any = (struct sockaddr *)(void *)&addr;
	socklen_t len = sizeof(addr);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	int client = socket(AF_INET, SOCK_STREAM, 0);
	char text[512];

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(bind(listener, any, len), 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	ck_assert_int_eq(getsockname(listener, any, &len), 0);
	ck_assert_int_eq(
	    threads_shared_sockets(NULL, 0, text, sizeof(text)), 0);
	ck_assert_int_eq(connect(client, any, len), 0);
	ck_assert_int_eq(
	    threads_shared_sockets(NULL, 0, text, sizeof(text)), 1);
	ck_assert_ptr_nonnull(strstr(text, "127.0.0.1:"));
	ck_assert_int_eq(
	    threads_shared_sockets(&client, 1, text, sizeof(text)), 0);
	fd_close(&client);
	fd_close(&listener);
}
END_TEST

START_TEST(a_rotated_file_is_opened_again)
{
	ck_assert_int_eq(eval("require 'tmpdir'; $d = Dir.mktmpdir\n"
			      "$f = File.open(\"#$d/log\", 'a'); $f.sync = "
			      "true; $f.puts 'old'\n"
			      "$g = File.open(\"#$d/other\", 'w'); $g.sync = "
			      "true"),
	    0);
	ck_assert_int_eq(reopen_logs(), 0);
	ck_assert_int_eq(eval("File.rename(\"#$d/log\", \"#$d/log.1\")\n"
			      "File.rename(\"#$d/other\", \"#$d/other.1\")"),
	    0);
	ck_assert_int_eq(reopen_logs(), 1);
	ck_assert_int_eq(eval("$f.puts 'new'\nraise unless $f.sync && "
			      "File.read(\"#$d/log\") == \"new\\n\"\n"
			      "raise if File.exist?(\"#$d/other\")"),
	    0);
	ck_assert_int_eq(eval("require 'fileutils'; FileUtils.rm_r($d)"), 0);
}
END_TEST

int
main(int argc, char **argv)
{
	Suite *s = suite_create("try");
	TCase *tc = tcase_create("ruby");
	SRunner *sr = srunner_create(s);
	static char ruby[] = "try", option[] = "-e", nothing[] = "";
	char *line[] = { ruby, option, nothing, NULL };
	int failed;

	(void)argc;
	(void)argv;
	if (vm_start(3, line, &failed) != 0 || threads_define(&why) < 0 ||
	    reopen_define(&why) < 0)
		return 99;
	tcase_add_test(tc, what_does_not_raise_is_0);
	tcase_add_test(tc, an_exception_is_described);
	tcase_add_test(tc, exit_is_an_answer);
	tcase_add_test(tc, a_signal_is_one_too);
	tcase_add_test(tc, a_message_that_raises_is_survived);
	tcase_add_test(tc, a_long_message_is_cut);
	tcase_add_test(tc, a_zero_byte_cuts_nothing);
	tcase_add_test(tc, a_throw_without_its_catch_is_an_error);
	tcase_add_test(tc, a_fork_runs_the_hooks_of_gems);
	tcase_add_test(tc, a_thread_that_sleeps_refuses_no_fork);
	tcase_add_test(tc, a_thread_that_runs_refuses_it_unless_it_is_marked);
	tcase_add_test(tc, prevent_fork_refuses_it_as_long_as_it_runs);
	tcase_add_test(tc, a_connected_socket_is_found_and_a_listener_is_not);
	tcase_add_test(tc, a_rotated_file_is_opened_again);
	suite_add_tcase(s, tc);
	srunner_set_fork_status(sr, CK_NOFORK);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
