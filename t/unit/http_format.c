/* http_format.c - the lines of a response, and the table of status codes. */
#include "http/format.h"
#include "http/status.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "suite.h"

static struct buf out;
static const struct http_slice none;

static struct http_slice
slice(const char *text)
{
	return (struct http_slice){ text, strlen(text) };
}

/* What was appended since the last call. */
static void
wrote(const char *want)
{
	ck_assert_str_eq(buf_cstr(&out), want);
	ck_assert_uint_eq(out.len, strlen(want));
	buf_reset(&out);
}

START_TEST(a_status_line_has_the_registered_reason_or_the_given_one)
{
	ck_assert_int_eq(format_status(&out, 200, none), 0);
	wrote("HTTP/1.1 200 OK\r\n");
	ck_assert_int_eq(format_status(&out, 200, slice("Fine")), 0);
	wrote("HTTP/1.1 200 Fine\r\n");
	ck_assert_int_eq(format_status(&out, 666, slice("BEAST")), 0);
	wrote("HTTP/1.1 666 BEAST\r\n");
	ck_assert_int_eq(format_status(&out, 599, none), 0);
	wrote("HTTP/1.1 599 \r\n");
}
END_TEST

START_TEST(a_status_that_could_end_its_line_is_refused)
{
	ck_assert_int_eq(format_status(&out, 99, none), -EINVAL);
	ck_assert_int_eq(format_status(&out, 1000, none), -EINVAL);
	ck_assert_int_eq(format_status(&out, -200, none), -EINVAL);
	ck_assert_int_eq(format_status(&out, 200, slice("a\nb")), -EINVAL);
	ck_assert_int_eq(format_status(&out, 200, slice("a\r")), -EINVAL);
	ck_assert_uint_eq(out.len, 0);
}
END_TEST

START_TEST(every_registered_code_has_a_line_and_a_reason)
{
	const char *reason = http_status_reason(_i);
	struct http_slice line = http_status_line(_i);
	char want[128];

	ck_assert_int_eq(reason != NULL, line.len > 0);
	if (!reason)
		return;
	snprintf(want, sizeof(want), "HTTP/1.1 %d %s\r\n", _i, reason);
	ck_assert_uint_eq(line.len, strlen(want));
	ck_assert_int_eq(memcmp(line.at, want, line.len), 0);
}
END_TEST

START_TEST(informational_204_and_304_have_no_body)
{
	ck_assert(!http_status_has_body(100));
	ck_assert(!http_status_has_body(199));
	ck_assert(!http_status_has_body(204));
	ck_assert(!http_status_has_body(304));
	ck_assert(http_status_has_body(200));
	ck_assert(http_status_has_body(404));
}
END_TEST

START_TEST(a_date_is_what_libc_makes_of_it)
{
	struct http_date cache = { 0 };
	char want[64];
	struct tm tm;

	/* 137 years in steps of some 40 days, at odd times of day. */
	for (int64_t t = 0; t < INT64_C(4323456000); t += 3456789) {
		time_t now = (time_t)t;

		gmtime_r(&now, &tm);
		strftime(want, sizeof(want),
		    "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &tm);
		ck_assert_int_eq(format_date(&out, &cache, now), 0);
		wrote(want);
	}
}
END_TEST

START_TEST(a_date_is_made_once_a_second)
{
	struct http_date cache = { 0 };

	ck_assert_int_eq(format_date(&out, &cache, 784111777), 0);
	wrote("Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
	cache.line[6] = 'X';
	ck_assert_int_eq(format_date(&out, &cache, 784111777), 0);
	wrote("Date: Xun, 06 Nov 1994 08:49:37 GMT\r\n");
	ck_assert_int_eq(format_date(&out, &cache, 784111778), 0);
	wrote("Date: Sun, 06 Nov 1994 08:49:38 GMT\r\n");
	ck_assert_int_eq(format_date(&out, &cache, -1), 0);
	wrote("Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n");
}
END_TEST

START_TEST(a_field_is_one_line)
{
	ck_assert_int_eq(
	    format_field(&out, slice("Set-Cookie"), slice("a=b; c\t\xc3")), 0);
	wrote("Set-Cookie: a=b; c\t\xc3\r\n");
	ck_assert_int_eq(format_field(&out, slice("X"), none), 0);
	wrote("X: \r\n");
}
END_TEST

START_TEST(a_field_that_is_more_than_one_line_is_refused)
{
	static const char *const names[] = { "", "a b", "a:", "a\r\nb",
		"\xc3" };
	struct http_slice nul = { "a\0b", 3 };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		ck_assert_int_eq(
		    format_field(&out, slice(names[i]), none), -EINVAL);
	ck_assert_int_eq(format_field(&out, slice("a"), slice("b\n")), -EINVAL);
	ck_assert_int_eq(format_field(&out, slice("a"), slice("\rb")), -EINVAL);
	ck_assert_int_eq(format_field(&out, slice("a"), nul), -EINVAL);
	ck_assert_int_eq(format_field(&out, nul, none), -EINVAL);
	ck_assert_uint_eq(out.len, 0);
}
END_TEST

START_TEST(a_chunk_starts_with_its_size_in_hex)
{
	ck_assert_int_eq(format_chunk(&out, 1), 0);
	wrote("1\r\n");
	ck_assert_int_eq(format_chunk(&out, 0xabc0), 0);
	wrote("abc0\r\n");
	ck_assert_int_eq(format_chunk(&out, SIZE_MAX), 0);
	wrote("ffffffffffffffff\r\n");
	ck_assert_int_eq(format_chunk_end(&out), 0);
	wrote("\r\n");
}
END_TEST

START_TEST(the_last_chunk_carries_trailers_or_nothing_at_all)
{
	struct http_field t[2] = { { slice("X-Sum"), slice("1") },
		{ slice("B"), slice("2") } };

	ck_assert_int_eq(format_last_chunk(&out, NULL, 0), 0);
	wrote("0\r\n\r\n");
	ck_assert_int_eq(format_last_chunk(&out, t, 2), 0);
	wrote("0\r\nX-Sum: 1\r\nB: 2\r\n\r\n");
	t[1].value = slice("2\r\nEvil: 1");
	ck_assert_int_eq(format_last_chunk(&out, t, 2), -EINVAL);
	ck_assert_uint_eq(out.len, 0);
}
END_TEST

START_TEST(an_error_is_a_whole_answer_that_closes)
{
	struct http_date cache = { 0 };

	ck_assert_int_eq(format_error(&out, 400, NULL, 0), 0);
	wrote("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n"
	      "Connection: close\r\n\r\n");
	ck_assert_int_eq(format_error(&out, 413, &cache, 784111777), 0);
	wrote("HTTP/1.1 413 Content Too Large\r\n"
	      "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 0\r\n"
	      "Connection: close\r\n\r\n");
	ck_assert_int_eq(format_error(&out, 7, NULL, 0), -EINVAL);
}
END_TEST

START_TEST(informational_responses_are_whole)
{
	struct http_field f = { slice("Link"), slice("</a.css>") };

	ck_assert_int_eq(format_continue(&out), 0);
	wrote("HTTP/1.1 100 Continue\r\n\r\n");
	ck_assert_int_eq(format_early_hints(&out, &f, 1), 0);
	wrote("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("http_format");
	TCase *tc = tcase_create("http_format");
	int status;

	suite_add_tcase(suite, tc);
	tcase_add_test(
	    tc, a_status_line_has_the_registered_reason_or_the_given_one);
	tcase_add_test(tc, a_status_that_could_end_its_line_is_refused);
	tcase_add_loop_test(
	    tc, every_registered_code_has_a_line_and_a_reason, 99, 601);
	tcase_add_test(tc, informational_204_and_304_have_no_body);
	tcase_add_test(tc, a_date_is_what_libc_makes_of_it);
	tcase_add_test(tc, a_date_is_made_once_a_second);
	tcase_add_test(tc, a_field_is_one_line);
	tcase_add_test(tc, a_field_that_is_more_than_one_line_is_refused);
	tcase_add_test(tc, a_chunk_starts_with_its_size_in_hex);
	tcase_add_test(tc, the_last_chunk_carries_trailers_or_nothing_at_all);
	tcase_add_test(tc, an_error_is_a_whole_answer_that_closes);
	tcase_add_test(tc, informational_responses_are_whole);
	status = suite_run(suite);
	buf_fini(&out);
	return status;
}
