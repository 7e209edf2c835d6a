/* http_chunked.c - bodies in chunks, whole and cut at every place. */
#include "http/chunked.h"
#include "http_guard.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>

#include "suite.h"

/* A body decoded: its payload joined, and how it ended. */
struct result {
	char payload[4096];
	size_t len;
	size_t consumed;
	char trailers[256];
	struct chunked body;
	ssize_t rc; /* 0 or the error */
};

static void
result_feed(struct result *r, const char *in, size_t len)
{
	struct http_slice data;

	while (len > 0 && r->rc == 0 && !chunked_is_done(&r->body)) {
		ssize_t n = chunked_feed(&r->body, in, len, &data);

		if (n < 0) {
			r->rc = n;
			return;
		}
		ck_assert_int_gt(n, 0);
		ck_assert_uint_le((size_t)n, len);
		if (data.len > 0) {
			ck_assert(
			    data.at >= in && data.at + data.len == in + n);
			ck_assert_uint_le(
			    r->len + data.len, sizeof(r->payload));
			memcpy(r->payload + r->len, data.at, data.len);
			r->len += data.len;
		}
		in += n;
		len -= (size_t)n;
		r->consumed += (size_t)n;
	}
}

static void
result_init(struct result *r)
{
	memset(r, 0, sizeof(*r));
	chunked_init(&r->body, r->trailers, sizeof(r->trailers));
}

static void
whole(struct result *r, const char *text)
{
	size_t len = strlen(text);

	result_init(r);
	result_feed(r, guarded(text, len), len);
}

static const struct {
	const char *text;
	const char *payload;
	size_t left; /* bytes behind the body */
} good[] = {
	{ "0\r\n\r\n", "", 0 },
	{ "5\r\nhello\r\n0\r\n\r\n", "hello", 0 },
	{ "5\r\nhello\r\n6\r\n world\r\n00\r\n\r\nGET /", "hello world", 5 },
	{ "00000000000000b\r\nhello world\r\n0\r\n\r\n", "hello world", 0 },
	{ "B\r\nhello world\r\n0;last\r\n\r\n", "hello world", 0 },
	{ "2;a=b;c=\"d;\xc3\xa4\"\r\n\r\n\r\n0\r\n\r\n", "\r\n", 0 },
	{ "1 \t;a\r\nx\r\n0\r\n\r\n", "x", 0 },
	{ "1;\r\nx\r\n0\r\n\r\n", "x", 0 },
	{ "1\r\nx\r\n0\r\nA: b\r\nC:d\r\n\r\n\r\n", "x", 2 },
};

static const char *const bad[] = {
	"\r\n",
	";a\r\n",
	" 5\r\nhello\r\n",
	"5 \r\nhello\r\n",
	"5 a\r\nhello\r\n",
	"+5\r\nhello\r\n",
	"-5\r\n",
	"0x5\r\nhello\r\n",
	"5\nhello\r\n",
	"5\r\rhello",
	"5;a\nhello\r\n",
	"5;a\x01\r\nhello\r\n",
	"5;a\rb\r\nhello\r\n",
	"5\r\nhelloX\r\n",
	"5\r\nhello\n",
	"5\r\nhello\r\r",
	"5\r\nhello0\r\n\r\n",
	"g\r\n",
	"5g\r\n",
	"8000000000000000\r\n",
	"ffffffffffffffff\r\n",
	"00000000000000005\r\nhello\r\n",
	"10000000000000000\r\n",
	"0\r\n\n",
	"0\r\n\r\r",
	"0\r\nA: b\n\r\n",
	"0\r\n A: b\r\n\r\n",
	"0\r\nA: b\r\n c\r\n\r\n",
	"0\r\nA: b\x7f\r\n\r\n",
	"0\r\nA: b\rc\r\n\r\n",
	"0\r\n: b\r\n\r\n",
};

START_TEST(a_good_body_gives_its_payload_and_leaves_the_rest)
{
	struct result r;

	whole(&r, good[_i].text);
	ck_assert_int_eq(r.rc, 0);
	ck_assert(chunked_is_done(&r.body));
	ck_assert_uint_eq(r.len, strlen(good[_i].payload));
	ck_assert_int_eq(memcmp(r.payload, good[_i].payload, r.len), 0);
	ck_assert_uint_eq(r.body.total, r.len);
	ck_assert_uint_eq(r.consumed, strlen(good[_i].text) - good[_i].left);
}
END_TEST

START_TEST(a_bad_body_is_refused_and_stays_so)
{
	struct result r;
	struct http_slice data;

	whole(&r, bad[_i]);
	ck_assert_msg(r.rc == -EPROTO, "%zd for %s", r.rc, bad[_i]);
	ck_assert_int_eq(chunked_feed(&r.body, "0\r\n\r\n", 5, &data), -EPROTO);
}
END_TEST

/* Feeds text in three pieces, cut before i and before j. */
static void
pieces(struct result *r, const char *text, size_t i, size_t j)
{
	size_t len = strlen(text);

	result_init(r);
	result_feed(r, guarded(text, i), i);
	result_feed(r, guarded(text + i, j - i), j - i);
	result_feed(r, guarded(text + j, len - j), len - j);
}

static void
same_however_cut(const char *text)
{
	size_t len = strlen(text);
	struct result all, cut;

	whole(&all, text);
	for (size_t i = 0; i <= len; i++)
		for (size_t j = i; j <= len; j++) {
			pieces(&cut, text, i, j);
			ck_assert_int_eq(cut.rc, all.rc);
			ck_assert_int_eq(cut.body.state, all.body.state);
			ck_assert_uint_eq(cut.consumed, all.consumed);
			ck_assert_uint_eq(cut.len, all.len);
			ck_assert_int_eq(
			    memcmp(cut.payload, all.payload, all.len), 0);
			ck_assert_int_eq(memcmp(cut.trailers, all.trailers,
					     sizeof(all.trailers)),
			    0);
		}
}

START_TEST(a_good_body_is_the_same_however_it_is_cut)
{
	same_however_cut(good[_i].text);
}
END_TEST

/* Errors too, though the bytes before one may be counted piece by piece. */
START_TEST(a_bad_body_is_refused_however_it_is_cut)
{
	struct result cut;
	size_t len = strlen(bad[_i]);

	for (size_t i = 0; i <= len; i++)
		for (size_t j = i; j <= len; j++) {
			pieces(&cut, bad[_i], i, j);
			ck_assert_int_eq(cut.rc, -EPROTO);
		}
}
END_TEST

START_TEST(a_body_cut_short_is_never_done)
{
	struct result r;
	size_t len = strlen(good[_i].text) - good[_i].left;

	for (size_t n = 0; n < len; n++) {
		result_init(&r);
		result_feed(&r, guarded(good[_i].text, n), n);
		ck_assert_int_eq(r.rc, 0);
		ck_assert(!chunked_is_done(&r.body));
	}
}
END_TEST

START_TEST(a_chunk_may_be_as_long_as_a_file)
{
	static const char text[] = "7fffffffffffffff\r\nabc";
	struct result r;

	whole(&r, text);
	ck_assert_int_eq(r.rc, 0);
	ck_assert_uint_eq(r.len, 3);
	ck_assert_uint_eq(r.body.left, (uint64_t)INT64_MAX - 3);
}
END_TEST

START_TEST(trailers_become_fields)
{
	struct http_field fields[2];
	struct result r;

	whole(&r, "0\r\nX-Sum: \t1a \r\nB:\r\n\r\n");
	ck_assert_int_eq(chunked_trailers(&r.body, fields, 2), 2);
	ck_assert(http_slice_is(fields[0].name, "x-sum"));
	ck_assert(http_slice_is(fields[0].value, "1a"));
	ck_assert_uint_eq(fields[1].value.len, 0);
	ck_assert_int_eq(chunked_trailers(&r.body, fields, 1), -E2BIG);
	whole(&r, "0\r\n\r\n");
	ck_assert_int_eq(chunked_trailers(&r.body, fields, 2), 0);
}
END_TEST

START_TEST(a_trailer_that_frames_or_routes_is_refused)
{
	static const char *const names[] = { "Content-Length", "content_length",
		"Transfer-Encoding", "TRANSFER_ENCODING", "host", "A B", "A" };
	struct http_field fields[2];
	struct result r;
	char text[64];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(text, sizeof(text), "0\r\n%s%s\r\n\r\n", names[i],
		    strcmp(names[i], "A") == 0 ? "" : ": 1");
		whole(&r, text);
		ck_assert_int_eq(r.rc, 0);
		ck_assert_int_eq(chunked_trailers(&r.body, fields, 2), -EPROTO);
	}
}
END_TEST

START_TEST(trailers_beyond_the_memory_lent_are_refused)
{
	char line[] = "A: 0123456789\r\n";
	struct chunked body;
	struct http_slice data;
	struct result r;
	ssize_t rc = 0;

	result_init(&r);
	result_feed(&r, "0\r\n", 3);
	for (int i = 0; i < 100 && r.rc == 0; i++)
		result_feed(&r, line, sizeof(line) - 1);
	ck_assert_int_eq(r.rc, -EMSGSIZE);
	chunked_init(&body, NULL, 0);
	rc = chunked_feed(&body, "0\r\n\r\n", 5, &data);
	ck_assert_int_eq(rc, 5);
	chunked_init(&body, NULL, 0);
	ck_assert_int_eq(chunked_feed(&body, "0\r\nA", 4, &data), -EMSGSIZE);
}
END_TEST

START_TEST(extensions_may_not_outweigh_the_body_for_long)
{
	char ext[1024];
	struct result r;

	/* 85 bytes a chunk, as some signing clients send, with their payload.
	 */
	result_init(&r);
	for (int i = 0; i < 1000 && r.rc == 0; i++) {
		snprintf(ext, sizeof(ext), "40;%081d\r\n%064d\r\n", i, i);
		r.len = 0;
		result_feed(&r, ext, strlen(ext));
	}
	ck_assert_int_eq(r.rc, 0);
	/* One byte of payload for 500 of extension is somebody playing. */
	result_init(&r);
	for (int i = 0; i < 1000 && r.rc == 0; i++) {
		snprintf(ext, sizeof(ext), "1;%0500d\r\nx\r\n", i);
		r.len = 0;
		result_feed(&r, ext, strlen(ext));
	}
	ck_assert_int_eq(r.rc, -EMSGSIZE);
	/* Honest one-byte chunks are no reason for anything. */
	result_init(&r);
	for (int i = 0; i < 20000 && r.rc == 0; i++) {
		r.len = 0;
		result_feed(&r, "1\r\nx\r\n", 6);
	}
	ck_assert_int_eq(r.rc, 0);
}
END_TEST

#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))

int
main(void)
{
	Suite *suite = suite_create("http_chunked");
	TCase *tc = tcase_create("http_chunked");

	suite_add_tcase(suite, tc);
	tcase_add_loop_test(tc,
	    a_good_body_gives_its_payload_and_leaves_the_rest, 0, ROWS(good));
	tcase_add_loop_test(
	    tc, a_bad_body_is_refused_and_stays_so, 0, ROWS(bad));
	tcase_add_loop_test(
	    tc, a_good_body_is_the_same_however_it_is_cut, 0, ROWS(good));
	tcase_add_loop_test(
	    tc, a_bad_body_is_refused_however_it_is_cut, 0, ROWS(bad));
	tcase_add_loop_test(tc, a_body_cut_short_is_never_done, 0, ROWS(good));
	tcase_add_test(tc, a_chunk_may_be_as_long_as_a_file);
	tcase_add_test(tc, trailers_become_fields);
	tcase_add_test(tc, a_trailer_that_frames_or_routes_is_refused);
	tcase_add_test(tc, trailers_beyond_the_memory_lent_are_refused);
	tcase_add_test(tc, extensions_may_not_outweigh_the_body_for_long);
	return suite_run(suite);
}
