/* The configuration file: what arrives at the master, and each mistake. */
#include "fake_master.h"
#include "suite.h"

static void
settings_of(const char *conf)
{
	fake_start_conf(conf);
	fake_expect(fake.chan, RFK_MSG_SETTINGS);
}

struct value {
	const char *conf, *name, *value;
};

static const struct value values[] = {
	{ "worker_processes 7\n", "worker_processes", "7" },
	{ "timeout 30\n", "timeout", "30000" },
	{ "timeout 0.25\n", "timeout", "250" },
	{ "timeout 30, soft: 12.5\n", "timeout_soft", "12500" },
	{ "timeout 20, cleanup: 2\n", "timeout", "22000" },
	{ "timeout 20, cleanup: 2\n", "timeout_soft", "20000" },
	{ "personality :pitchfork\n", "timeout", "22000" },
	{ "personality :pitchfork\n", "spawn_timeout", "10000" },
	{ "keepalive_timeout 0.5\n", "keepalive_timeout", "500" },
	{ "keepalive 3\n", "keepalive_timeout", "3000" },
	{ "preload_app true\n", "keepalive", "0" },
	{ "compact false\n", "compact", "0" },
	{ "umask 0027\n", "umask", "23" },
	{ "shared_sockets :allow\n", "shared_sockets_allow", "1" },
	{ "refork_after [500, 1000, false]\n", "refork_after",
	    "500,1000,false" },
	{ "refork_after 50\n", "refork_after", "50" },
	{ "refork [500, false]\n", "refork_after", "500,false" },
	{ "refork [500, false]\n", "refork_auto", NULL },
	{ "refork :auto\n", "refork_auto", "1" },
	{ "refork false\n", "refork_auto", "0" },
	{ "personality :native\n", "refork_auto", "1" },
	{ "refork_after 50\n", "refork_auto", NULL },
	{ "preload_app true\n", "refork_auto", "0" },
	{ "personality :pitchfork\n", "refork_auto", "0" },
	{ "refork_cpu 0.025\n", "refork_cpu", "250" },
	{ "refork_min_gain '1.5G'\n", "refork_min_gain", "1610612736" },
	{ "refork_interval 7\n", "refork_interval", "7000" },
	{ "worker_memory_limit '300M'\n", "worker_memory_limit", "314572800" },
	{ "worker_memory_limit '300M'\n", "worker_memory_rss", "0" },
	{ "worker_memory_limit rss: '300 MiB', jitter: 0.25\n",
	    "worker_memory_rss", "1" },
	{ "worker_memory_limit rss: '300 MiB', jitter: 0.25\n",
	    "worker_memory_jitter", "25" },
	{ "worker_max_requests 1000, jitter: 0\n", "worker_max_requests",
	    "1000" },
	{ "worker_max_requests 1000, jitter: 0\n", "worker_max_requests_jitter",
	    "0" },
	{ "memory_budget '4g'\n", "memory_budget", "4294967296" },
	{ "memory_budget '80%'\n", "memory_budget_percent", "80" },
	{ "memory_budget 5_000_000\n", "memory_budget", "5000000" },
	{ "user 'nobody', 'nogroup'\n", "group", "nogroup" },
	{ "after_worker_exit { |s, w, st| }\n", "hook_after_worker_exit",
	    "app.conf:1" },
	{ "\nafter_monitor_ready { |s| }\n", "hook_after_monitor_ready",
	    "app.conf:2" },
	{ "after_worker_exit nil\n", "hook_after_worker_exit", NULL },
	{ "hook_timeout 0.25\n", "hook_timeout", "250" },
	{ "require 'logger'; logger Logger.new('x.log')\n", "has_logger", "1" },
	{ "require 'logger'; logger Logger.new($stderr)\n", "has_logger",
	    NULL },
	{ "set[:logger].level = 1\n", "has_logger", NULL },
	{ "worker { }\nkey :root, :lock\n", "key", "root,lock" },
	{ "worker { }\nkey :root\nidle_timeout 1.5\n", "idle_timeout", "1500" },
	{ "worker { }\nmax_molds 30\n", "max_molds", "30" },
	{ "ruby :project\n", "ruby", "project" },
	{ "run { }\nkind :run\nsignals :own\n", "signals_own", "1" },
	{ "run { }\nlisten 86\n", "listen", "0.0.0.0:86\ttcp_defer_accept=0" },
	{ "run { }\nlisten 86, tcp_defer_accept: 2\n", "listen",
	    "0.0.0.0:86\ttcp_defer_accept=2" },
	{ "", "listen", "0.0.0.0:8080" },
	{ "listen 80\n", "listen", "0.0.0.0:80" },
	{ "listen ':81'\n", "listen", "0.0.0.0:81" },
	{ "listen '*:82'\n", "listen", "0.0.0.0:82" },
	{ "listen 'localhost:83'\n", "listen", "127.0.0.1:83" },
	{ "listen '[::1]:84'\n", "listen", "[::1]:84" },
	{ "listen '127.0.0.1'\n", "listen", "127.0.0.1:80" },
	{ "listen '/tmp/a.sock', umask: 0077\n", "listen",
	    "/tmp/a.sock\tumask=63" },
	{ "listen 'unix:/tmp/b.sock', backlog: 5\n", "listen",
	    "/tmp/b.sock\tbacklog=5" },
	{ "listen 85, tcp_nodelay: false, delay: 0.25, tries: -1, "
	  "tcp_defer_accept: true\n",
	    "listen",
	    "0.0.0.0:85\ttcp_nodelay=0\tdelay_ms=250\ttries=-1\t"
	    "tcp_defer_accept=1" },
};

START_TEST(a_directive_arrives_as_its_setting)
{
	const struct value *v = &values[_i];
	const char *got;

	settings_of(v->conf);
	got = fake_setting(v->name);
	if (v->value == NULL)
		ck_assert_ptr_null(got);
	else
		ck_assert_str_eq(got != NULL ? got : "(nothing)", v->value);
}
END_TEST

struct family {
	const char *file, *conf;
	enum rfk_personality is;
};

static const struct family families[] = {
	{ "app.conf", "", RFK_NATIVE },
	{ "app.conf", "preload_app true\n", RFK_UNICORN },
	{ "app.conf", "before_fork { |server, worker| }\n", RFK_UNICORN },
	{ "app.conf", "before_fork { |server| }\n", RFK_PITCHFORK },
	{ "app.conf", "after_mold_fork { |s, m| }\n", RFK_PITCHFORK },
	{ "app.conf", "refork_after 5\n", RFK_NATIVE },
	{ "app.conf", "after_fork { |s, w| }\nafter_mold_fork { |s, w| }\n",
	    RFK_NATIVE },
	{ "app.conf", "preload_app true\ncompact false\n", RFK_NATIVE },
	{ "unicorn.conf.rb", "worker_processes 2\n", RFK_UNICORN },
	{ "unicorn.conf.rb", "personality :native\n", RFK_NATIVE },
};

START_TEST(the_whole_file_decides_the_personality)
{
	const struct family *f = &families[_i];
	char option[64];
	const char *const options[] = { option, NULL };

	snprintf(option, sizeof(option), "config=%s", f->file);
	fake_write(f->file, f->conf);
	fake_start(options);
	fake_expect(fake.chan, RFK_MSG_SETTINGS);
	ck_assert_uint_eq(fake.msg.u.settings.personality, f->is);
	ck_assert_ptr_nonnull(fake_setting("personality_why"));
}
END_TEST

struct mistake {
	const char *conf, *says;
};

static const struct mistake mistakes[] = {
	{ "worker_processes 'x'\n",
	    "app.conf:1: not an integer: worker_processes=\"x\"" },
	{ "\n\nworker_processes 0\n",
	    "app.conf:3: too low (< 1): worker_processes=0" },
	{ "worker_processes 513\n", "too high (> 512)" },
	{ "timeout '5'\n", "app.conf:1: not a number: timeout=\"5\"" },
	{ "timeout 0\n", "too low (< 0.001): timeout=0" },
	{ "timeout 5, soft: 6\n", "timeout soft=6 is not below timeout=5" },
	{ "timeout Float::NAN\n", "not a number: timeout=NaN" },
	{ "preload_app nil\n", "app.conf:1: preload_app=nil not a boolean" },
	{ "early_hints 1\n", "early_hints=1 not a boolean" },
	{ "pid 5\n", "not a string: pid=5" },
	{ "pid '/nonexistent/x.pid'\n",
	    "app.conf:1: directory for pid=/nonexistent/x.pid not writable" },
	{ "logger 5\n", "logger=5 does not respond to method=debug" },
	{ "before_fork { |a, b, c| }\n", "has invalid arity: 3 (need 1 or 2)" },
	{ "after_fork { |a| }\n", "has invalid arity: 1 (need 2)" },
	{ "after_fork 5\n", "invalid type: after_fork=5" },
	{ "refork_after [5, 'x']\n", "not a number of requests: refork_after" },
	{ "refork_after [false, 5]\n", "not a number of requests" },
	{ "refork_after 0\n", "too low (< 1): refork_after=0" },
	{ "refork :often\n", "app.conf:1: refork=:often is not known" },
	{ "refork_cpu '1%'\n", "app.conf:1: not a number: refork_cpu=" },
	{ "refork_cpu 2\n", "too high (> 1): refork_cpu=2" },
	{ "refork_interval 0.5\n", "too low (< 1): refork_interval=0.5" },
	{ "\nmemory_budget '4X'\n",
	    "app.conf:2: not a size: memory_budget=\"4X\"" },
	{ "memory_budget '101%'\n", "too high (> 100): memory_budget=101" },
	{ "memory_budget 4.5\n", "not a size: memory_budget=4.5" },
	{ "memory_budget 4096\n", "too low (< 1048576): memory_budget=4096" },
	{ "worker_memory_limit\n", "takes one size, not 0" },
	{ "worker_memory_limit uss: '1G', rss: '2G'\n",
	    "app.conf:1: worker_memory_limit takes one size, not 2" },
	{ "worker_memory_limit '1G', jitter: 2\n",
	    "worker_memory_limit jitter=2 is no share" },
	{ "worker_max_requests 0\n", "too low (< 1): worker_max_requests=0" },
	{ "worker_max_requests 'x'\n", "not an integer: worker_max_requests" },
	{ "worker { }\nkey\n", "app.conf:2: key=[] names no fields" },
	{ "worker { }\nkey 'root'\n", "key=[\"root\"] names no fields" },
	{ "worker { }\nkey :root, :root\n", "key=[:root, :root] names no" },
	{ "worker { }\nkey :pool\n", "key=[:pool] names no fields" },
	{ "worker { }\nkey { |lease| lease }\n", "key=[] names no fields" },
	{ "\nkey :root\n", "app.conf:2: key is for workers that clients" },
	{ "worker { }\nmax_molds 31\n", "too high (> 30): max_molds=31" },
	{ "worker { }\nidle_timeout 0\n", "too low (< 0.1): idle_timeout=0" },
	{ "ruby 'ruby3.3'\n", "ruby=\"ruby3.3\" is neither :project nor" },
	{ "ruby '/bin/sh'\n", "ruby /bin/sh does not start, or is no Ruby" },
	{ "ruby '/nonexistent/ruby'\n",
	    "ruby=/nonexistent/ruby is no program" },
	{ "user 'nosuchuser'\n", "can't find user for nosuchuser" },
	{ "user 'nobody', 'nosuchgroup'\n",
	    "can't find group for nosuchgroup" },
	{ "working_directory '/nonexistent'\n",
	    "cannot enter working_directory=/nonexistent: No such file" },
	{ "listen 'bogus'\n", "don't know how to bind: listen=\"bogus\"" },
	{ "listen 99999\n", "port 99999 is out of range" },
	{ "listen 80, backlog: 'x'\n", "not an integer: backlog=\"x\"" },
	{ "listen 80, delay: 'x'\n", "not numeric: delay=\"x\"" },
	{ "listen 80, tcp_nodelay: 1\n", "not boolean: tcp_nodelay=1" },
	{ "listen 80, backlok: 5\n", "unknown listen option: backlok" },
	{ "rack 5\n", "rack=5 is no application" },
	{ "rack 'nosuch.ru'\n", "nosuch.ru: not readable" },
	{ "personality :mongrel\n", "personality=:mongrel is not known" },
	{ "shared_sockets true\n", "neither :allow nor :refuse" },
	{ "\nworker_proceses 5\n",
	    "app.conf:2: unknown directive: worker_proceses (did you mean "
	    "worker_processes?)" },
	{ "frobnicate\n", "app.conf:1: unknown directive: frobnicate" },
	{ "\nif true\n", "app.conf:" },
	{ "end\n", "app.conf:1: syntax error: " },
	{ "\nrequire 'no/such/lib'\n", "app.conf:2: cannot load such file" },
	{ "nil.upcase\n", "app.conf:1: undefined method" },
	{ "raise 'over'\n", "app.conf:1: over (RuntimeError)" },
	{ "exit 3\n", "app.conf:1: the file called exit(3)" },
};

START_TEST(a_mistake_is_one_line_with_its_place)
{
	fake_start_conf(mistakes[_i].conf);
	fake_expect(fake.chan, RFK_MSG_FAILED);
	ck_assert_int_eq(fake.msg.u.failed.is_config, 1);
	ck_assert_msg(strstr(fake.text, mistakes[_i].says) != NULL,
	    "\"%s\" is not in \"%s\"", mistakes[_i].says, fake.text);
	ck_assert_ptr_null(strchr(fake.text, '\n'));
	ck_assert_int_eq(fake_end(fake.mold), 1);
}
END_TEST

START_TEST(the_command_line_adds_to_the_file)
{
	const char *const options[] = { "config=app.conf", "listen=9001",
		"host=127.0.0.1", "port=9002", "env=staging", "nosuch=1",
		"pid=x.pid", NULL };
	struct rfk_settings_table t;
	char why[128];

	fake_write("app.conf", "listen 9000\n"
			       "raise unless ENV['RACK_ENV'] == 'staging'\n");
	fake_start(options);
	fake_expect(fake.chan, RFK_MSG_SETTINGS);
	ck_assert_int_eq(settings_init(&t), 0);
	ck_assert_int_eq(
	    settings_decode(&t, fake.text, fake.msg.tail_len, why, sizeof(why)),
	    0);
	ck_assert_uint_eq(t.listens, 3);
	ck_assert_str_eq(t.listen[0].address, "0.0.0.0:9000");
	ck_assert_str_eq(t.listen[1].address, "0.0.0.0:9001");
	ck_assert_str_eq(t.listen[2].address, "127.0.0.1:9002");
	ck_assert_ptr_nonnull(strstr(t.pid, "/x.pid"));
	settings_fini(&t);
}
END_TEST

START_TEST(the_environment_speaks_where_the_file_is_silent)
{
	setenv("PORT", "9123", 1);
	setenv("WEB_CONCURRENCY", "3", 1);
	settings_of("");
	ck_assert_str_eq(fake_setting("listen"), "0.0.0.0:9123");
	ck_assert_str_eq(fake_setting("worker_processes"), "3");
}
END_TEST

START_TEST(the_file_beats_the_environment)
{
	setenv("PORT", "9123", 1);
	setenv("WEB_CONCURRENCY", "3", 1);
	settings_of("listen 9000\nworker_processes 2\n");
	ck_assert_str_eq(fake_setting("listen"), "0.0.0.0:9000");
	ck_assert_str_eq(fake_setting("worker_processes"), "2");
}
END_TEST

START_TEST(unicorn_does_not_read_the_environment)
{
	setenv("PORT", "9123", 1);
	settings_of("preload_app true\n");
	ck_assert_str_eq(fake_setting("listen"), "0.0.0.0:8080");
}
END_TEST

START_TEST(options_in_config_ru_are_unicorns)
{
	fake_write("config.ru",
	    "#\\ -p 9555 -E staging\nrun ->(env) { [200, {}, []] }\n");
	settings_of("preload_app true\n");
	ck_assert_str_eq(fake_setting("listen"), "0.0.0.0:9555");
}
END_TEST

START_TEST(the_default_file_is_found)
{
	const char *const options[] = { "default_config=1", NULL };

	ck_assert_int_eq(chdir(fake.dir), 0);
	ck_assert_int_eq(system("mkdir config"), 0);
	fake_write("config/reforkd.rb", "worker_processes 4\n");
	fake_start(options);
	fake_expect(fake.chan, RFK_MSG_SETTINGS);
	ck_assert_str_eq(fake_setting("worker_processes"), "4");
	ck_assert_ptr_nonnull(
	    strstr(fake_setting("config_file"), "/config/reforkd.rb"));
}
END_TEST

START_TEST(a_missing_file_is_a_mistake)
{
	const char *const options[] = { "config=nosuch.conf", NULL };

	fake_start(options);
	fake_expect(fake.chan, RFK_MSG_FAILED);
	ck_assert_int_eq(fake.msg.u.failed.is_config, 1);
	ck_assert_ptr_nonnull(strstr(fake.text, "nosuch.conf: cannot be read"));
}
END_TEST

START_TEST(a_check_ends_after_the_settings)
{
	const char *const options[] = { "config=app.conf", "check=1", NULL };

	fake_write("app.conf", "rack { raise 'never' }\n");
	fake_start(options);
	fake_expect(fake.chan, RFK_MSG_SETTINGS);
	ck_assert_int_eq(fake_end(fake.mold), 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("mold_config");
	TCase *tc = tcase_create("config");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, fake_setup, fake_teardown);
	tcase_add_loop_test(tc, a_directive_arrives_as_its_setting, 0,
	    (int)(sizeof(values) / sizeof(values[0])));
	tcase_add_loop_test(tc, the_whole_file_decides_the_personality, 0,
	    (int)(sizeof(families) / sizeof(families[0])));
	tcase_add_loop_test(tc, a_mistake_is_one_line_with_its_place, 0,
	    (int)(sizeof(mistakes) / sizeof(mistakes[0])));
	tcase_add_test(tc, the_command_line_adds_to_the_file);
	tcase_add_test(tc, the_environment_speaks_where_the_file_is_silent);
	tcase_add_test(tc, the_file_beats_the_environment);
	tcase_add_test(tc, unicorn_does_not_read_the_environment);
	tcase_add_test(tc, options_in_config_ru_are_unicorns);
	tcase_add_test(tc, the_default_file_is_found);
	tcase_add_test(tc, a_missing_file_is_a_mistake);
	tcase_add_test(tc, a_check_ends_after_the_settings);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
