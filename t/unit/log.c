/*
 * log.c - lines as Ruby's Logger writes them, one write(2) each.
 */
#include "base/log.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "suite.h"

/* A packet socket for stderr: one write is one packet. */
static int lines;
static char line[20000];

static void
setup(void)
{
	int fds[2];

	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fds), 0);
	ck_assert_int_eq(dup2(fds[0], STDERR_FILENO), STDERR_FILENO);
	fd_close(&fds[0]);
	lines = fds[1];
	log_level_set(LOG_LV_DEBUG);
}

/* The next line without its newline, or NULL. */
static const char *
next_line(void)
{
	ssize_t n = recv(lines, line, sizeof(line) - 1, 0);

	if (n < 0)
		return NULL;
	ck_assert_int_gt(n, 0);
	ck_assert_int_eq(line[n - 1], '\n');
	ck_assert_ptr_eq(memchr(line, '\n', (size_t)n), &line[n - 1]);
	line[n - 1] = '\0';
	return line;
}

static const char *
next_text(void)
{
	const char *at = next_line();

	ck_assert_ptr_nonnull(at);
	at = strstr(at, " -- : ");
	ck_assert_ptr_nonnull(at);
	return at + 6;
}

static void
ck_matches(const char *text, const char *pattern)
{
	regex_t re;

	ck_assert_int_eq(regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB), 0);
	ck_assert_msg(
	    regexec(&re, text, 0, NULL, 0) == 0, "\"%s\" !~ %s", text, pattern);
	regfree(&re);
}

static const struct {
	void (*say)(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
	const char *head;
} levels[] = {
	{ log_debug, "^D, \\[[^]]*\\] DEBUG -- : x=7$" },
	{ log_info, "^I, \\[[^]]*\\]  INFO -- : x=7$" },
	{ log_warn, "^W, \\[[^]]*\\]  WARN -- : x=7$" },
	{ log_error, "^E, \\[[^]]*\\] ERROR -- : x=7$" },
	{ log_fatal, "^F, \\[[^]]*\\] FATAL -- : x=7$" },
};

START_TEST(a_line_looks_like_ruby_loggers)
{
	char want[40], day[16];
	time_t now = time(NULL);
	struct tm tm;

	levels[_i].say("x=%d", 7);
	ck_matches(next_line(), levels[_i].head);
	ck_matches(line,
	    "^., \\[[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:"
	    "[0-6][0-9]\\.[0-9]{6} #[0-9]+\\] ");
	(void)snprintf(want, sizeof(want), " #%d] ", (int)getpid());
	ck_assert_ptr_nonnull(strstr(line, want));
	/* Local time: the hour of now, or of the next second. */
	ck_assert_ptr_nonnull(localtime_r(&now, &tm));
	ck_assert_uint_eq(strftime(day, sizeof(day), "%Y-%m-%dT%H", &tm), 13);
	if (tm.tm_min != 59)
		ck_assert_int_eq(strncmp(line + 4, day, 13), 0);
}
END_TEST

START_TEST(lower_levels_are_silent)
{
	log_level_set((enum log_level)_i);
	log_debug("0");
	log_info("1");
	log_warn("2");
	log_error("3");
	log_fatal("4");
	log_lines(LOG_LV_DEBUG, "0");
	for (; _i <= LOG_LV_FATAL; _i++)
		ck_assert_int_eq(next_text()[0], '0' + _i);
	if (next_line() != NULL)
		ck_assert_str_eq(strstr(line, " -- : "), " -- : 0");
	ck_assert_ptr_null(next_line());
}
END_TEST

START_TEST(the_progname_stands_before_the_colon)
{
	log_progname_set("[Pitchfork]");
	log_info("text");
	ck_matches(next_line(), "  INFO -- \\[Pitchfork\\]: text$");
}
END_TEST

START_TEST(control_characters_are_made_visible)
{
	log_info("a\nb\rc\td\x1b[1m\x7f\x01 \xc3\xa4\n");
	ck_assert_str_eq(
	    next_text(), "a\\nb\\rc\\td\\x1B[1m\\x7F\\x01 \xc3\xa4");
	ck_assert_ptr_null(next_line());
}
END_TEST

START_TEST(each_line_of_a_backtrace_is_a_line)
{
	log_lines(LOG_LV_ERROR, "boom\n\ta.rb:1\n\nlast");
	ck_assert_str_eq(next_text(), "boom");
	ck_assert_str_eq(next_text(), "\\ta.rb:1");
	ck_assert_str_eq(next_text(), "");
	ck_assert_str_eq(next_text(), "last");
	ck_assert_ptr_null(next_line());
	log_lines(LOG_LV_ERROR, "");
	ck_assert_ptr_null(next_line());
	log_lines(LOG_LV_ERROR, "ends\n");
	ck_assert_str_eq(next_text(), "ends");
	ck_assert_ptr_null(next_line());
}
END_TEST

START_TEST(a_long_line_is_cut_with_dots)
{
	static char text[20000];
	size_t len;

	for (len = 8000; len < 8300; len++) {
		memset(text, 'x', len);
		text[len] = '\0';
		log_info("%s", text);
		ck_assert_ptr_nonnull(next_line());
		ck_assert_uint_le(strlen(line) + 1, 8192);
		if (strstr(line, "...") == NULL)
			ck_assert_str_eq(strstr(line, ": x") + 2, text);
		else
			ck_assert_uint_ge(strlen(line), 8180);
	}
	memset(text, '\n', sizeof(text) - 1);
	log_info("%s", text);
	ck_assert_ptr_nonnull(next_line());
	ck_assert_str_eq(line + strlen(line) - 5, "\\n...");
}
END_TEST

START_TEST(a_cut_leaves_no_half_character)
{
	static char text[9001];
	size_t i, shift;

	for (shift = 0; shift < 2; shift++) {
		for (i = 0; i < shift; i++)
			text[i] = 'x';
		for (; i + 1 < sizeof(text) - 1; i += 2)
			memcpy(&text[i], "\xc3\xa4", 2);
		log_info("%s", text);
		ck_assert_ptr_nonnull(next_line());
		ck_assert_str_eq(line + strlen(line) - 5, "\xc3\xa4...");
	}
}
END_TEST

static char seen[100];
static int calls;

static bool
sink(enum log_level level, const char *whole, const char *text, void *arg)
{
	(void)snprintf(seen, sizeof(seen), "%d %s %s", (int)level, text,
	    (const char *)arg);
	calls++;
	log_error("from the sink");
	if (strcmp(text, "taken") != 0)
		return false;
	log_put(whole);
	return true;
}

START_TEST(the_sink_gets_the_text_and_may_log_itself)
{
	char arg[] = "arg";

	log_sink_set(sink, arg);
	log_warn("hello\n");
	ck_assert_str_eq(seen, "2 hello arg");
	ck_assert_int_eq(calls, 1);
	ck_assert_str_eq(next_text(), "from the sink");
	ck_assert_str_eq(next_text(), "hello");
	log_sink_set(NULL, NULL);
	log_warn("alone");
	ck_assert_int_eq(calls, 1);
	ck_assert_str_eq(next_text(), "alone");
}
END_TEST

START_TEST(a_line_that_was_taken_is_not_written_but_by_its_taker)
{
	char arg[] = "arg";

	log_sink_set(sink, arg);
	log_warn("taken");
	ck_assert_str_eq(next_text(), "from the sink");
	ck_assert_str_eq(next_text(), "taken");
	log_sink_set(NULL, NULL);
	log_warn("and no more");
	ck_assert_str_eq(next_text(), "and no more");
}
END_TEST

START_TEST(errno_survives_even_a_full_disk)
{
	int full = open("/dev/full", O_WRONLY);

	errno = EXDEV;
	log_info("a");
	ck_assert_int_eq(errno, EXDEV);
	ck_assert_int_eq(dup2(full, STDERR_FILENO), STDERR_FILENO);
	errno = EXDEV;
	log_info("lost");
	ck_assert_int_eq(errno, EXDEV);
	(void)close(STDERR_FILENO);
	log_info("into nothing");
	ck_assert_int_eq(errno, EXDEV);
}
END_TEST

START_TEST(a_closed_pipe_loses_the_line_and_nothing_else)
{
	(void)signal(SIGPIPE, SIG_IGN);
	fd_close(&lines);
	log_info("nobody reads");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("log");
	TCase *tc = tcase_create("log");

	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_loop_test(tc, a_line_looks_like_ruby_loggers, 0, 5);
	tcase_add_loop_test(tc, lower_levels_are_silent, 0, 5);
	tcase_add_test(tc, the_progname_stands_before_the_colon);
	tcase_add_test(tc, control_characters_are_made_visible);
	tcase_add_test(tc, each_line_of_a_backtrace_is_a_line);
	tcase_add_test(tc, a_long_line_is_cut_with_dots);
	tcase_add_test(tc, a_cut_leaves_no_half_character);
	tcase_add_test(tc, the_sink_gets_the_text_and_may_log_itself);
	tcase_add_test(
	    tc, a_line_that_was_taken_is_not_written_but_by_its_taker);
	tcase_add_test(tc, errno_survives_even_a_full_disk);
	tcase_add_test(tc, a_closed_pipe_loses_the_line_and_nothing_else);
	return suite_run(suite);
}
