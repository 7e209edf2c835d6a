/*
 * relay_frame.c - Content-Length framing, in whatever pieces it comes, and what
 * is no framing at all.
 */
#include "relay/frame.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "suite.h"

static struct frame frame;
static struct fail why;

static void
begin(void)
{
	memset(&frame, 0, sizeof(frame));
	memset(&why, 0, sizeof(why));
}

static void
end(void)
{
	frame_fini(&frame);
}

static const char stream[] = "Content-Length: 2\r\n\r\n{}"
			     "content-length:\t 5 \r\nContent-Type: x\r\n\r\n"
			     "a\r\n\r\n"
			     "Content-Length: 0\r\n\r\n"
			     "Content-Length: 3\r\n\r\nxyz";

static void
take(struct buf *said)
{
	const char *body;
	size_t len;
	int rc;

	while ((rc = frame_next(&frame, &body, &len, &why)) > 0) {
		ck_assert_int_eq(buf_put(said, body, len), 0);
		ck_assert_int_eq(buf_puts(said, "|"), 0);
	}
	ck_assert_int_eq(rc, 0);
}

/* _i bytes at once, from 1 to all. */
START_TEST(frames_come_in_pieces)
{
	struct buf said = BUF_INIT;
	size_t at, n = (size_t)_i;

	for (at = 0; at < sizeof(stream) - 1; at += n) {
		if (n > sizeof(stream) - 1 - at)
			n = sizeof(stream) - 1 - at;
		ck_assert_int_eq(frame_put(&frame, stream + at, n), 0);
		take(&said);
	}
	ck_assert_str_eq(buf_cstr(&said), "{}|a\r\n\r\n||xyz|");
	buf_fini(&said);
}
END_TEST

static const struct {
	const char *bytes, *text;
} hostile[] = {
	{ "Content-Length: 67108865\r\n\r\n", "67108864" },
	{ "Content-Length: 99999999999999999999\r\n\r\n", "67108864" },
	{ "Content-Length: -1\r\n\r\n", "not a number" },
	{ "Content-Length: 0x10\r\n\r\n", "not a number" },
	{ "Content-Length:\r\n\r\n", "not a number" },
	{ "Content-Length: 1 2\r\n\r\n", "not a number" },
	{ "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", "twice" },
	{ "Content-Type: x\r\n\r\n", "without Content-Length" },
	{ "\r\n\r\n", "without Content-Length" },
	{ "hello\nContent-Length: 2\r\n\r\n{}", "at \"hello Content" },
	{ "hello\r\n\r\n", "NAME: VALUE" },
	{ ": 2\r\n\r\n", "NAME: VALUE" },
	{ "Content-Length: 2\n\n{}\r\n\r\n", "no header has" },
};

START_TEST(hostile_headers_are_refused)
{
	const char *body;
	size_t len;

	ck_assert_int_eq(
	    frame_put(&frame, hostile[_i].bytes, strlen(hostile[_i].bytes)), 0);
	ck_assert_int_eq(frame_next(&frame, &body, &len, &why), -EPROTO);
	ck_assert_msg(strstr(why.text, hostile[_i].text) != NULL, "%s: %s",
	    hostile[_i].bytes, why.text);
}
END_TEST

START_TEST(a_header_without_end_is_refused)
{
	const char *body;
	size_t len, i;
	int rc = 0;

	for (i = 0; rc == 0 && i < 2 * FRAME_HEAD_MAX; i++) {
		ck_assert_int_eq(frame_put(&frame, "x", 1), 0);
		rc = frame_next(&frame, &body, &len, &why);
	}
	ck_assert_int_eq(rc, -EPROTO);
	ck_assert_uint_eq(i, FRAME_HEAD_MAX);
}
END_TEST

START_TEST(what_is_written_is_read)
{
	const char *body;
	struct buf out = BUF_INIT;
	size_t len;

	ck_assert_int_eq(frame_write(&out, "a\0b", 3), 0);
	ck_assert_int_eq(frame_write(&out, "", 0), 0);
	ck_assert_int_eq(frame_put(&frame, out.data, out.len), 0);
	ck_assert_int_eq(frame_next(&frame, &body, &len, &why), 1);
	ck_assert_uint_eq(len, 3);
	ck_assert_mem_eq(body, "a\0b", 3);
	ck_assert_int_eq(frame_next(&frame, &body, &len, &why), 1);
	ck_assert_uint_eq(len, 0);
	ck_assert_int_eq(frame_next(&frame, &body, &len, &why), 0);
	buf_fini(&out);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("relay/frame");
	TCase *tcase = tcase_create("frame");

	tcase_add_checked_fixture(tcase, begin, end);
	tcase_add_loop_test(
	    tcase, frames_come_in_pieces, 1, (int)sizeof(stream));
	tcase_add_loop_test(tcase, hostile_headers_are_refused, 0,
	    (int)(sizeof(hostile) / sizeof(hostile[0])));
	tcase_add_test(tcase, a_header_without_end_is_refused);
	tcase_add_test(tcase, what_is_written_is_read);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
