/* A mold from START to STOP: boot, forks, deaths, callbacks, promotion. */
#include "fake_master.h"

#include <poll.h>
#include <sys/stat.h>

#include "suite.h"

/* From start to READY; the file has one listener. */
static void
boot(const char *conf)
{
	fake_start_conf(conf);
	fake_expect(fake.chan, RFK_MSG_SETTINGS);
	fake_configure();
	fake_expect(fake.chan, RFK_MSG_READY);
}

static uint64_t last_token;

static void
put_fork(struct chan *mold, uint32_t generation)
{
	struct rfk_msg msg = { .type = RFK_MSG_FORK };

	msg.u.fork.token = ++last_token;
	msg.u.fork.slot = 3;
	msg.u.fork.row = 6;
	msg.u.fork.generation = generation;
	ck_assert_int_eq(chan_put(mold, &msg, NULL, 0), 0);
}

/* The newborn's channel; its pid stands in fake.msg. */
static struct chan *
spawned(struct chan *mold)
{
	struct chan *worker;

	fake_expect(mold, RFK_MSG_SPAWNED);
	ck_assert_int_eq(fake.nfds, 2);
	ck_assert_uint_eq(fake.msg.u.spawned.token, last_token);
	ck_assert_uint_eq(fake.msg.u.spawned.slot, 3);
	fd_close(&fake.fds[0]);
	worker = chan_open(fake.fds[1], RFK_WORKER);
	ck_assert_ptr_nonnull(worker);
	return worker;
}

static struct chan *
worker_of(struct chan *mold, uint32_t generation)
{
	struct chan *worker;

	put_fork(mold, generation);
	worker = spawned(mold);
	fake_expect(worker, RFK_MSG_READY);
	ck_assert_uint_eq(fake.msg.u.ready.generation, generation);
	return worker;
}

static void
put_stop(bool run_at_exit)
{
	struct rfk_msg msg = { .type = RFK_MSG_STOP };

	msg.u.stop.run_at_exit = run_at_exit;
	fake_put(&msg, NULL, 0);
}

/* What a file of the test's directory holds, "" when there is none. */
static const char *
content(const char *name)
{
	static char text[4096];
	char path[PATH_MAX];
	ssize_t n;

	snprintf(path, sizeof(path), "%s/%s", fake.dir, name);
	n = fd_read_file(path, text, sizeof(text));
	return n < 0 ? "" : text;
}

static int
mold_fds(void)
{
	char command[64];
	FILE *f;
	int n = -1;

	snprintf(
	    command, sizeof(command), "ls /proc/%d/fd | wc -l", (int)fake.mold);
	f = popen(command, "r");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(fscanf(f, "%d", &n), 1);
	pclose(f);
	return n;
}

#define APP "rack { |env| [200, {}, []] }\n"

START_TEST(a_worker_is_forked_and_its_end_reported)
{
	struct chan *worker;
	pid_t pid;

	boot(APP);
	put_fork(fake.chan, 0);
	worker = spawned(fake.chan);
	pid = fake.msg.u.spawned.pid;
	fake_expect(worker, RFK_MSG_READY);
	ck_assert_int_eq(fake.msg.u.ready.pid, pid);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	fake_expect(fake.chan, RFK_MSG_DIED);
	ck_assert_uint_eq(fake.msg.u.died.token, last_token);
	ck_assert_int_eq(fake.msg.u.died.pid, pid);
	ck_assert_int_eq(fake.msg.u.died.code, CLD_KILLED);
	ck_assert_int_eq(fake.msg.u.died.status, SIGKILL);
	chan_close(worker);
}
END_TEST

START_TEST(a_death_is_reported_though_the_application_reaps)
{
	struct chan *worker;

	boot("trap('CHLD', 'IGNORE')\n" APP);
	put_fork(fake.chan, 0);
	worker = spawned(fake.chan);
	ck_assert_int_eq(kill(fake.msg.u.spawned.pid, SIGKILL), 0);
	fake_expect(fake.chan, RFK_MSG_DIED);
	chan_close(worker);
	chan_close(worker_of(fake.chan, 0));
	fake_expect(fake.chan, RFK_MSG_DIED);
}
END_TEST

START_TEST(a_worker_leaves_when_its_master_has_gone)
{
	boot(APP);
	chan_close(worker_of(fake.chan, 0));
	fake_expect(fake.chan, RFK_MSG_DIED);
	ck_assert_int_eq(fake.msg.u.died.code, CLD_EXITED);
}
END_TEST

START_TEST(forks_leave_no_descriptor_behind)
{
	int before, i;

	boot(APP);
	chan_close(worker_of(fake.chan, 0));
	fake_expect(fake.chan, RFK_MSG_DIED);
	before = mold_fds();
	for (i = 0; i < 20; i++) {
		chan_close(worker_of(fake.chan, 0));
		fake_expect(fake.chan, RFK_MSG_DIED);
	}
	/* The last pidfd is closed just after its DIED was sent. */
	for (i = 0; i < 200 && mold_fds() > before; i++)
		poll(NULL, 0, 10);
	ck_assert_int_le(mold_fds(), before);
}
END_TEST

/* _i: 0 = the application's own handlers stay silent. */
START_TEST(a_stop_runs_at_exit_when_asked)
{
	boot("at_exit { File.write('left', 'yes') }\n" APP);
	put_stop(_i != 0);
	ck_assert_int_eq(fake_end(fake.mold), 0);
	ck_assert_str_eq(content("left"), _i != 0 ? "yes" : "");
}
END_TEST

START_TEST(a_mold_leaves_with_its_master)
{
	boot(APP);
	chan_close(fake.chan);
	fake.chan = NULL;
	ck_assert_int_eq(fake_end(fake.mold), 1);
}
END_TEST

START_TEST(term_ends_a_mold_and_the_terminals_signals_do_not)
{
	boot(APP);
	ck_assert_int_eq(kill(fake.mold, SIGINT), 0);
	ck_assert_int_eq(kill(fake.mold, SIGQUIT), 0);
	ck_assert_int_eq(kill(fake.mold, SIGHUP), 0);
	chan_close(worker_of(fake.chan, 0));
	fake_expect(fake.chan, RFK_MSG_DIED);
	ck_assert_int_eq(kill(fake.mold, SIGTERM), 0);
	ck_assert_int_eq(fake_end(fake.mold), 0);
}
END_TEST

START_TEST(a_trap_of_the_files_wins)
{
	boot("trap('HUP') { File.write('trapped', 'HUP') }\n" APP);
	ck_assert_int_eq(kill(fake.mold, SIGHUP), 0);
	while (content("trapped")[0] == '\0')
		usleep(1000);
	put_stop(false);
	ck_assert_int_eq(fake_end(fake.mold), 0);
}
END_TEST

START_TEST(a_before_fork_that_raises_costs_one_attempt)
{
	boot("before_fork { |s, w| raise 'later' unless $twice; w.nr == 3 or "
	     "exit }\n"
	     "after_worker_exit { |s, w, st| $twice = true }\n" APP);
	put_fork(fake.chan, 0);
	fake_expect(fake.chan, RFK_MSG_NOT_SPAWNED);
	ck_assert_ptr_nonnull(strstr(fake.text, "before_fork: later"));
}
END_TEST

START_TEST(a_callback_of_the_masters_runs_here)
{
	struct rfk_msg msg = { .type = RFK_MSG_HOOK };

	boot("after_worker_exit { |server, worker, status| File.write('w', "
	     "\"#{worker.nr} #{worker == 4} #{worker.generation} "
	     "#{status.termsig} #{status.class} "
	     "#{server.worker_processes}\") }\n" APP);
	msg.u.hook.token = 77;
	msg.u.hook.name = RFK_HOOK_AFTER_WORKER_EXIT;
	msg.u.hook.slot = 4;
	msg.u.hook.generation = 2;
	msg.u.hook.pid = 4242;
	msg.u.hook.code = CLD_KILLED;
	msg.u.hook.status = SIGSEGV;
	fake_put(&msg, NULL, 0);
	fake_expect(fake.chan, RFK_MSG_HOOKED);
	ck_assert_uint_eq(fake.msg.u.hook.token, 77);
	ck_assert_str_eq(content("w"), "4 true 2 11 Process::Status 1");
}
END_TEST

START_TEST(a_files_logger_gets_the_masters_lines)
{
	struct rfk_msg msg = {
		.type = RFK_MSG_HOOK, .tail = "from the master", .tail_len = 15
	};

	boot("require 'logger'; logger Logger.new('own.log')\n" APP);
	msg.u.hook.name = RFK_HOOK_LOG;
	msg.u.hook.slot = 2;
	fake_put(&msg, NULL, 0);
	fake_expect(fake.chan, RFK_MSG_HOOKED);
	ck_assert_ptr_nonnull(
	    strstr(content("own.log"), "WARN -- : from the master"));
}
END_TEST

START_TEST(logs_are_reopened)
{
	struct rfk_msg msg = { .type = RFK_MSG_REOPEN };
	char old[128], new[128];
	struct chan *worker;

	boot("stderr_path 'err.log'\n"
	     "after_worker_exit { |s, w, st| $stderr.puts 'after' }\n"
	     "before_fork { |s, w| $stderr.puts 'forking' }\n" APP);
	snprintf(old, sizeof(old), "%s/err.log", fake.dir);
	snprintf(new, sizeof(new), "%s/err.log.1", fake.dir);
	ck_assert_int_eq(rename(old, new), 0);
	fake_put(&msg, NULL, 0);
	worker = worker_of(fake.chan, 0);
	ck_assert_ptr_nonnull(strstr(content("err.log"), "forking"));
	ck_assert_ptr_null(strstr(content("err.log.1"), "forking"));
	chan_close(worker);
}
END_TEST

/* worker -> candidate -> worker of the next generation, twice. */
START_TEST(a_worker_becomes_a_mold)
{
	struct rfk_msg msg = { .type = RFK_MSG_PROMOTE };
	struct chan *mold = fake.chan;
	struct chan *worker, *candidate;
	uint32_t generation;

	boot("after_mold_fork { |s, m| File.write(\"mold#{m.generation}\", "
	     "m.mold?) }\n" APP);
	worker = worker_of(fake.chan, 0);
	mold = fake.chan;
	for (generation = 1; generation < 3; generation++) {
		msg.u.promote.token = ++last_token;
		msg.u.promote.generation = generation;
		ck_assert_int_eq(chan_put(worker, &msg, NULL, 0), 0);
		fake_expect(worker, RFK_MSG_PROMOTED);
		fd_close(&fake.fds[0]);
		candidate = chan_open(fake.fds[1], RFK_MOLD);
		fake_expect(candidate, RFK_MSG_READY);
		ck_assert_uint_eq(fake.msg.u.ready.generation, generation);
		chan_close(worker);
		if (mold != fake.chan)
			chan_close(mold);
		mold = candidate;
		worker = worker_of(mold, generation);
	}
	ck_assert_str_eq(content("mold2"), "true");
	chan_close(worker);
	fake_expect(mold, RFK_MSG_DIED);
	chan_close(mold);
}
END_TEST

START_TEST(yjit_is_on_or_missed_with_a_word)
{
	boot("yjit true\nafter_mold_fork { |s, m| File.write('jit', "
	     "(defined?(RubyVM::YJIT) && RubyVM::YJIT.enabled?).inspect) "
	     "}\n" APP);
	ck_assert_str_ne(content("jit"), "");
	chan_close(worker_of(fake.chan, 0));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("mold");
	TCase *tc = tcase_create("mold");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, fake_setup, fake_teardown);
	tcase_add_test(tc, a_worker_is_forked_and_its_end_reported);
	tcase_add_test(tc, a_death_is_reported_though_the_application_reaps);
	tcase_add_test(tc, a_worker_leaves_when_its_master_has_gone);
	tcase_add_test(tc, forks_leave_no_descriptor_behind);
	tcase_add_loop_test(tc, a_stop_runs_at_exit_when_asked, 0, 2);
	tcase_add_test(tc, a_mold_leaves_with_its_master);
	tcase_add_test(tc, term_ends_a_mold_and_the_terminals_signals_do_not);
	tcase_add_test(tc, a_trap_of_the_files_wins);
	tcase_add_test(tc, a_before_fork_that_raises_costs_one_attempt);
	tcase_add_test(tc, a_callback_of_the_masters_runs_here);
	tcase_add_test(tc, a_files_logger_gets_the_masters_lines);
	tcase_add_test(tc, logs_are_reopened);
	tcase_add_test(tc, a_worker_becomes_a_mold);
	tcase_add_test(tc, yjit_is_on_or_missed_with_a_word);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
