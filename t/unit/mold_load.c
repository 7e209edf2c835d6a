/* The application as a mold loads it, or says why it does not. */
#include "fake_master.h"

#include "suite.h"

#define APP "rack { |env| [200, {}, []] }\n"

struct failing {
	const char *conf, *says;
};

static const struct failing failing[] = {
	{ "rack { raise ArgumentError, 'no database' }\n",
	    "loading the application: no database (ArgumentError) at "
	    "app.conf:1" },
	{ "rack { exit 3 }\n", "exit(3) was called at app.conf:1" },
	{ "rack { 5 }\n", "the application is 5" },
	{ "rack { require 'no/such' }\n", "cannot load such file" },
	{ "rack { eval('end') }\n", "SyntaxError" },
	{ "rack { throw :up }\n", "uncaught throw :up" },
	{ "after_mold_fork { |s, m| raise 'not today' }\n" APP,
	    "after_mold_fork: not today (RuntimeError) at app.conf:1" },
};

START_TEST(an_application_that_does_not_load_says_why)
{
	fake_start_conf(failing[_i].conf);
	fake_expect(fake.chan, RFK_MSG_SETTINGS);
	fake_configure();
	fake_expect(fake.chan, RFK_MSG_FAILED);
	ck_assert_int_eq(fake.msg.u.failed.is_config, 0);
	ck_assert_msg(strstr(fake.text, failing[_i].says) != NULL,
	    "\"%s\" is not in \"%s\"", failing[_i].says, fake.text);
	ck_assert_int_eq(fake_end(fake.mold), 1);
}
END_TEST

START_TEST(config_ru_is_loaded_by_rack)
{
	fake_write("config.ru",
	    "# frozen_string_literal: true\n"
	    "raise 'not frozen' unless 'a'.frozen?\n"
	    "raise __FILE__ unless __FILE__.end_with?('/config.ru') && "
	    "__LINE__ == 3\n"
	    "run ->(env) { [200, {}, []] }\n__END__\nnothing of Ruby's (\n");
	fake_start_conf("worker_processes 2\n");
	fake_expect(fake.chan, RFK_MSG_SETTINGS);
	ck_assert_ptr_nonnull(strstr(fake_setting("rackup"), "/config.ru"));
	fake_configure();
	fake_next(fake.chan);
	/* A machine without the gem has at least a clear word for it. */
	if (fake.msg.type == RFK_MSG_FAILED)
		ck_assert_ptr_nonnull(
		    strstr(fake.text, "the rack gem is not there"));
	else
		ck_assert_int_eq(fake.msg.type, RFK_MSG_READY);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("mold_load");
	TCase *tc = tcase_create("mold_load");

	suite_add_tcase(suite, tc);
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, fake_setup, fake_teardown);
	tcase_add_loop_test(tc, an_application_that_does_not_load_says_why, 0,
	    (int)(sizeof(failing) / sizeof(failing[0])));
	tcase_add_test(tc, config_ru_is_loaded_by_rack);
	return suite_run(suite);
}
