/* http_field.c - the byte table, field lines, lists, CGI names. */
#include "http/chars.h"
#include "http/field.h"
#include "http_guard.h"

#include <check.h>
#include <errno.h>

#include "suite.h"

static bool
alnum(int c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	       (c >= 'a' && c <= 'z');
}

static bool
one_of(int c, const char *set)
{
	return c > 0 && c < 0x80 && strchr(set, c) != NULL;
}

START_TEST(the_table_is_what_the_rfcs_say)
{
	int c = _i;
	bool digit = c >= '0' && c <= '9';
	char byte = (char)c;

	ck_assert_int_eq(http_char_is(byte, HTTP_TCHAR),
	    alnum(c) || one_of(c, "!#$%&'*+-.^_`|~"));
	ck_assert_int_eq(http_char_is(byte, HTTP_VALUE),
	    c == '\t' || (c >= 0x20 && c != 0x7f));
	ck_assert_int_eq(http_char_is(byte, HTTP_URI),
	    c > 0x20 && c < 0x7f && c != '#' && c != '%');
	ck_assert_int_eq(http_char_is(byte, HTTP_REGNAME),
	    alnum(c) || one_of(c, "-._~!$&'()*+,;="));
	ck_assert_int_eq(http_char_is(byte, HTTP_DIGIT), digit);
	ck_assert_int_eq(
	    http_char_is(byte, HTTP_HEX), digit || one_of(c, "abcdefABCDEF"));
	ck_assert_int_eq(http_char_is(byte, HTTP_BLANK), one_of(c, "\t "));
}
END_TEST

START_TEST(a_name_is_the_same_in_any_case)
{
	ck_assert(
	    http_slice_is(HTTP_SLICE("Content-LENGTH"), "content-length"));
	ck_assert(!http_slice_is(HTTP_SLICE("content"), "content-length"));
	ck_assert(!http_slice_is(HTTP_SLICE("content-length"), "content"));
	ck_assert(
	    !http_slice_is(HTTP_SLICE("content_length"), "content-length"));
	ck_assert(!http_slice_is(HTTP_SLICE("a@"), "a`"));
	ck_assert(http_slice_is((struct http_slice){ 0 }, ""));
}
END_TEST

START_TEST(a_list_has_its_members_and_the_empty_ones)
{
	struct http_slice rest = HTTP_SLICE(" a ,,\tb c,"), item;
	static const char *const want[] = { "a", "", "b c", "" };
	size_t n = 0;

	for (; http_list_next(&rest, &item); n++) {
		ck_assert_uint_lt(n, 4);
		ck_assert(http_slice_is(item, want[n]));
	}
	ck_assert_uint_eq(n, 4);
	ck_assert(http_list_has(HTTP_SLICE("x, Close"), "close"));
	ck_assert(!http_list_has(HTTP_SLICE("closed"), "close"));
	ck_assert(!http_list_has(HTTP_SLICE(""), "close"));
}
END_TEST

/* The wide loop over values reads eight bytes at a time: try every offset. */
START_TEST(a_control_byte_is_seen_at_every_offset_of_a_value)
{
	char line[64];
	struct http_field f;

	for (size_t len = 1; len < 40; len++)
		for (size_t at = 0; at < len; at++) {
			const char *p;
			bool good = _i == '\t' || (_i >= 0x20 && _i != 0x7f);

			line[0] = 'A';
			line[1] = ':';
			memset(line + 2, 'v', len);
			line[2 + at] = (char)_i;
			memcpy(line + 2 + len, "\r\n", 2);
			p = guarded(line, len + 4);
			ck_assert_int_eq(
			    http_field_read(&p, p + len + 4, 0, &f),
			    good ? 0 : -EPROTO);
		}
}
END_TEST

START_TEST(a_line_without_its_end_is_refused)
{
	static const char text[] = "Name: value\r\n";
	struct http_field f;

	for (size_t len = 0; len < sizeof(text) - 1; len++) {
		const char *p = guarded(text, len);

		ck_assert_int_eq(http_field_read(&p, p + len, 0, &f), -EPROTO);
	}
}
END_TEST

START_TEST(an_empty_line_ends_the_fields)
{
	const char *p = guarded("\r\n", 2), *end = p + 2;
	struct http_field f;

	ck_assert_int_eq(http_field_read(&p, end, 0, &f), 1);
	ck_assert_ptr_eq(p, end);
	p = end = guarded("\n", 1);
	end++;
	ck_assert_int_eq(http_field_read(&p, end, 0, &f), -EPROTO);
	ck_assert_int_eq(http_field_read(&p, end, HTTP_COMPAT_UNICORN, &f), 1);
}
END_TEST

START_TEST(a_cgi_name_is_upper_case_with_underscores)
{
	char out[32];
	int n = http_cgi_name(HTTP_SLICE("x-Forwarded-for2"), out, 21);

	ck_assert_int_eq(n, 21);
	ck_assert_int_eq(memcmp(out, "HTTP_X_FORWARDED_FOR2", 21), 0);
	ck_assert_int_eq(
	    http_cgi_name(HTTP_SLICE("x-Forwarded-for2"), out, 20), -ENOSPC);
	ck_assert_int_eq(http_cgi_name(HTTP_SLICE("x"), out, 4), -ENOSPC);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("http_field");
	TCase *tc = tcase_create("http_field");

	suite_add_tcase(suite, tc);
	tcase_add_loop_test(tc, the_table_is_what_the_rfcs_say, 0, 256);
	tcase_add_test(tc, a_name_is_the_same_in_any_case);
	tcase_add_test(tc, a_list_has_its_members_and_the_empty_ones);
	tcase_add_loop_test(
	    tc, a_control_byte_is_seen_at_every_offset_of_a_value, 0, 256);
	tcase_add_test(tc, a_line_without_its_end_is_refused);
	tcase_add_test(tc, an_empty_line_ends_the_fields);
	tcase_add_test(tc, a_cgi_name_is_upper_case_with_underscores);
	return suite_run(suite);
}
