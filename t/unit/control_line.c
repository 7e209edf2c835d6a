/*
 * control_line.c - requests on the control socket, good and hostile.
 */
#include "master/line.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "suite.h"

static struct line line;
static struct fail why;

static int
parse(const char *text)
{
	static char copy[256]; /* line.pool lies in it */

	memset(&why, 0, sizeof(why));
	memcpy(copy, text, strlen(text) + 1);
	return line_parse(&line, copy, &why);
}

START_TEST(each_verb_is_known)
{
	static const char *const good[] = {
#define VERB(name, slot, scale, waits, now, help) #name,
#include <reforkd/verbs.def>
#undef VERB
	};
	int i;

	for (i = 0; i < LINE_VERBS; i++) {
		if (i == LINE_scale)
			continue;
		ck_assert_int_eq(parse(good[i]), 0);
		ck_assert_int_eq(line.verb, i);
		ck_assert_uint_eq(line.slot, UINT32_MAX);
		ck_assert(!line.no_wait && !line.now);
	}
}
END_TEST

START_TEST(arguments_mean_what_they_say)
{
	ck_assert_int_eq(parse("refork 3 no-wait"), 0);
	ck_assert_uint_eq(line.slot, 3);
	ck_assert(line.no_wait);
	ck_assert_int_eq(parse("refork no-wait 511"), 0);
	ck_assert_uint_eq(line.slot, 511);
	ck_assert_int_eq(parse("  stop   now "), 0);
	ck_assert(line.now);
	ck_assert_int_eq(parse("gclog read 2"), 0);
	ck_assert_str_eq(line.word, "read");
	ck_assert_uint_eq(line.slot, 2);
	ck_assert(!line.now);
	ck_assert_int_eq(parse("scale +1"), 0);
	ck_assert_int_eq(line.scale_by, 1);
	ck_assert_int_eq(parse("scale -1"), 0);
	ck_assert_int_eq(line.scale_by, -1);
	ck_assert_ptr_null(line.pool);
	ck_assert_int_eq(parse("refork jobs 3 no-wait"), 0);
	ck_assert_str_eq(line.pool, "jobs");
	ck_assert_uint_eq(line.slot, 3);
	ck_assert_int_eq(parse("scale +1 jobs"), 0);
	ck_assert_str_eq(line.pool, "jobs");
	ck_assert_int_eq(parse("dumpstat jobs pages"), 0);
	ck_assert_str_eq(line.word, "pages");
	ck_assert_str_eq(line.pool, "jobs");
	ck_assert_int_eq(parse("scale 0"), 0);
	ck_assert_int_eq(line.scale_by, 0);
	ck_assert_uint_eq(line.scale_to, 0);
}
END_TEST

START_TEST(what_a_verb_does_not_take_is_refused)
{
	static const char *const wrong[] = { "", "   ", "statu", "statuss",
		"STATUS", "status 1", "status no-wait", "refork -1",
		"refork 512", "refork 4294967296", "refork 1 2", "refork 1 now",
		"refork 0x1", "reload 1", "reload no-wait no-wait", "scale",
		"scale +2", "scale 513", "scale 1 1", "scale +", "scale 1e9",
		"scale 99999999999999999999", "stop now now", "stop never",
		"scale jobs", "refork a b", "status jobs", "status\tx",
		"status\x7f", "st\x01tus", "\xff", "version %" };
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		ck_assert_msg(
		    parse(wrong[i]) == -EPROTO, "accepted: %s", wrong[i]);
		ck_assert_str_ne(why.text, "");
	}
}
END_TEST

START_TEST(an_unknown_verb_is_told_the_known_ones)
{
	ck_assert_int_eq(parse("restore"), -EPROTO);
	ck_assert_ptr_nonnull(strstr(why.text, "unknown verb restore"));
	ck_assert_ptr_nonnull(strstr(why.text, "refork"));
	ck_assert_ptr_nonnull(strstr(why.text, "pids"));
}
END_TEST

START_TEST(a_line_ends_at_its_newline_or_is_too_long)
{
	static char bytes[LINE_MAX_BYTES + 1];

	ck_assert_int_eq(line_length("", 0), 0);
	ck_assert_int_eq(line_length("status", 6), 0);
	ck_assert_int_eq(line_length("status\nx", 8), 7);
	memset(bytes, 'x', sizeof(bytes));
	ck_assert_int_eq(line_length(bytes, LINE_MAX_BYTES - 1), 0);
	ck_assert_int_eq(line_length(bytes, LINE_MAX_BYTES), -EPROTO);
	bytes[LINE_MAX_BYTES - 1] = '\n';
	ck_assert_int_eq(line_length(bytes, LINE_MAX_BYTES), LINE_MAX_BYTES);
}
END_TEST

START_TEST(a_zero_byte_does_not_end_a_request)
{
	char bytes[] = "stop\0now\n", plain[] = "stop\r\n";

	line_close(bytes, sizeof(bytes) - 1);
	ck_assert_int_eq(line_parse(&line, bytes, &why), -EPROTO);
	line_close(plain, sizeof(plain) - 1);
	ck_assert_int_eq(line_parse(&line, plain, &why), 0);
	ck_assert_int_eq(line.verb, LINE_stop);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("control_line");
	TCase *tc = tcase_create("control_line");

	suite_add_tcase(suite, tc);
	tcase_add_test(tc, each_verb_is_known);
	tcase_add_test(tc, arguments_mean_what_they_say);
	tcase_add_test(tc, what_a_verb_does_not_take_is_refused);
	tcase_add_test(tc, an_unknown_verb_is_told_the_known_ones);
	tcase_add_test(tc, a_line_ends_at_its_newline_or_is_too_long);
	tcase_add_test(tc, a_zero_byte_does_not_end_a_request);
	return suite_run(suite);
}
