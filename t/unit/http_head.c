/* http_head.c - what a good head turns into, where it ends, how long it may be.
 */
#include "http/head.h"
#include "http_guard.h"

#include <check.h>

#include "suite.h"

#define TAIL " HTTP/1.1\r\nHost: a\r\n\r\n"

static const struct http_limits limits = HTTP_LIMITS_INIT;
static struct http_head head;

static int
parse(const char *request, unsigned flags)
{
	size_t len = strlen(request);

	return http_head_parse(
	    guarded(request, len), len, flags, &limits, &head);
}

/* Accepts the head, or fails the test with its status. */
static void
accept_head(const char *request)
{
	ck_assert_int_eq(parse(request, 0), 0);
}

static void
is(struct http_slice s, const char *want)
{
	ck_assert_msg(s.len == strlen(want) &&
			  (s.len == 0 || memcmp(s.at, want, s.len) == 0),
	    "\"%.*s\" is not \"%s\"", (int)s.len, s.at, want);
}

START_TEST(a_request_line_is_taken_apart)
{
	accept_head("Patch /a%20b/c?d=e?f&g HTTP/1.1\r\nHost: h\r\n\r\n");
	is(head.method, "Patch");
	is(head.target, "/a%20b/c?d=e?f&g");
	is(head.path, "/a%20b/c");
	is(head.query, "d=e?f&g");
	ck_assert(head.has_query);
	is(head.version, "HTTP/1.1");
	ck_assert_uint_eq(head.major, 1);
	ck_assert_uint_eq(head.minor, 1);
	is(head.scheme, "");
	accept_head("GET /? HTTP/1.0\r\n\r\n");
	ck_assert(head.has_query);
	is(head.query, "");
	ck_assert_uint_eq(head.minor, 0);
	accept_head("GET / HTTP/1.0\r\n\r\n");
	ck_assert(!head.has_query);
}
END_TEST

START_TEST(fields_come_in_order_and_without_the_blanks_around_them)
{
	accept_head("GET / HTTP/1.1\r\nHost: h\r\nA:\r\nB: \t b  c\t \r\n"
		    "a:2\r\nC: \r\n\r\n");
	ck_assert_uint_eq(head.nfields, 5);
	is(head.fields[0].name, "Host");
	is(head.fields[1].name, "A");
	is(head.fields[1].value, "");
	is(head.fields[2].value, "b  c");
	is(head.fields[3].name, "a");
	is(head.fields[3].value, "2");
	is(head.fields[4].value, "");
}
END_TEST

START_TEST(the_host_is_split_from_its_port)
{
	accept_head("GET / HTTP/1.1\r\nhOsT: Example.com:8080\r\n\r\n");
	is(head.authority, "Example.com:8080");
	is(head.host, "Example.com");
	is(head.port, "8080");
	accept_head("GET / HTTP/1.1\r\nHost: [::1]:\r\n\r\n");
	is(head.host, "[::1]");
	is(head.port, "");
	accept_head("GET / HTTP/1.1\r\nHost:\r\n\r\n");
	is(head.host, "");
	ck_assert(head.has_host);
	accept_head("GET / HTTP/1.0\r\n\r\n");
	ck_assert(!head.has_host);
}
END_TEST

START_TEST(the_authority_of_an_absolute_target_beats_the_host_field)
{
	accept_head("GET https://b:1/c?d HTTP/1.1\r\nHost: a:2\r\n\r\n");
	is(head.scheme, "https");
	is(head.authority, "b:1");
	is(head.host, "b");
	is(head.port, "1");
	is(head.path, "/c");
	is(head.query, "d");
	accept_head("GET http://b?d HTTP/1.1\r\nHost: a:2\r\n\r\n");
	is(head.path, "/");
	is(head.query, "d");
	is(head.port, "");
	accept_head("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
	is(head.path, "*");
	is(head.host, "a");
}
END_TEST

START_TEST(the_body_is_framed_by_length_or_by_chunks)
{
	accept_head("GET /" TAIL);
	ck_assert_int_eq(head.content_length, -1);
	ck_assert(!head.chunked);
	accept_head("POST / HTTP/1.0\r\nContent-Length: 0\r\n\r\n");
	ck_assert_int_eq(head.content_length, 0);
	accept_head(
	    "POST / HTTP/1.0\r\nContent-Length: 9223372036854775807\r\n\r\n");
	ck_assert_int_eq(head.content_length, INT64_MAX);
	accept_head("POST / HTTP/1.1\r\nHost: a\r\n"
		    "Transfer-Encoding: Chunked\r\n\r\n");
	ck_assert(head.chunked);
	ck_assert_int_eq(head.content_length, -1);
}
END_TEST

static const struct {
	const char *request;
	bool keep, close, upgrade, expect;
} connections[] = {
	{ "GET /" TAIL, true, false, false, false },
	{ "GET / HTTP/1.0\r\n\r\n", false, false, false, false },
	{ "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true, false,
	    false, false },
	{ "GET / HTTP/1.1\r\nHost: a\r\nConnection: te, Close\r\n\r\n", false,
	    true, false, false },
	{ "GET / HTTP/1.0\r\nConnection: keep-alive\r\n"
	  "Connection: close\r\n\r\n",
	    false, true, false, false },
	{ "GET / HTTP/1.1\r\nHost: a\r\nConnection: enclose\r\n\r\n", true,
	    false, false, false },
	{ "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"
	  "Connection: keep-alive, Upgrade\r\n\r\n",
	    true, false, true, false },
	{ "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n", true,
	    false, false, false },
	{ "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\n"
	  "Content-Length: 1\r\n\r\n",
	    true, false, false, true },
	{ "POST / HTTP/1.0\r\nExpect: 100-continue\r\n"
	  "Content-Length: 1\r\n\r\n",
	    false, false, false, false },
};

START_TEST(the_connection_is_kept_as_version_and_options_say)
{
	accept_head(connections[_i].request);
	ck_assert_int_eq(head.keep_alive, connections[_i].keep);
	ck_assert_int_eq(head.connection_close, connections[_i].close);
	ck_assert_int_eq(head.upgrade, connections[_i].upgrade);
	ck_assert_int_eq(head.expect_continue, connections[_i].expect);
}
END_TEST

START_TEST(compat_gives_what_unicorn_gave)
{
	ck_assert_int_eq(
	    parse("GET /a?b#c HTTP/1.1\nX: y\n\n", HTTP_COMPAT_UNICORN), 0);
	is(head.fragment, "c");
	is(head.query, "b");
	is(head.path, "/a");
	ck_assert_int_eq(
	    parse("GET http://u:p@b:1/ HTTP/7.12\r\n\r\n", HTTP_COMPAT_UNICORN),
	    0);
	is(head.host, "b");
	ck_assert_uint_eq(head.minor, 12);
	ck_assert_int_eq(parse("GET / HTTP/1.1\r\nHost: a b\r\nHost: c\r\n\r\n",
			     HTTP_COMPAT_UNICORN),
	    0);
	is(head.host, "a b");
	ck_assert_int_eq(parse("GET /x?y\r\n", HTTP_COMPAT_UNICORN), 0);
	is(head.version, "");
	is(head.query, "y");
	ck_assert_uint_eq(head.minor, 9);
	ck_assert_uint_eq(head.nfields, 0);
}
END_TEST

/* A head with runs of `n` bytes at one place. */
static int
long_head(const char *before, size_t n, const char *after)
{
	size_t len = strlen(before) + n + strlen(after);
	char *text = malloc(len);
	int status;

	memcpy(text, before, strlen(before));
	memset(text + strlen(before), 'a', n);
	memcpy(text + strlen(before) + n, after, strlen(after));
	status = http_head_parse(guarded(text, len), len, 0, &limits, &head);
	free(text);
	return status;
}

static const struct {
	const char *before;
	size_t fits; /* one more does not */
	const char *after;
	int fit; /* the status of what fits */
	int status;
} lengths[] = {
	{ "GET /", 4095, TAIL, 0, 414 },
	{ "GET /?", 10240, TAIL, 0, 414 },
	{ "GET /#", 1024, TAIL, 400, 414 },
	{ "GET http://", 15352, "/" TAIL, 0, 414 },
	{ "GET / HTTP/1.1\r\nHost: a\r\n", 256, ": b\r\n\r\n", 0, 400 },
	{ "GET / HTTP/1.1\r\nHost: a\r\nB: ", 81920, "\r\n\r\n", 0, 400 },
	{ "GET / HTTP/1.0\r\nB: ", 81920, "\r\n\r\n", 0, 400 },
};

START_TEST(what_is_too_long_gets_unicorns_status)
{
	ck_assert_int_eq(
	    long_head(lengths[_i].before, lengths[_i].fits, lengths[_i].after),
	    lengths[_i].fit);
	ck_assert_int_eq(long_head(lengths[_i].before, lengths[_i].fits + 1,
			     lengths[_i].after),
	    lengths[_i].status);
	ck_assert_int_eq(
	    long_head(lengths[_i].before, 110000, lengths[_i].after),
	    lengths[_i].status);
}
END_TEST

START_TEST(a_head_beyond_112_kib_is_413)
{
	char *text = malloc(120000), *p = text;
	size_t len;

	p = stpcpy(p, "GET / HTTP/1.1\r\nHost: a\r\nB: ");
	p = (char *)memset(p, 'b', 80000) + 80000;
	p = stpcpy(p, "\r\nC: ");
	len = 114688 - (size_t)(p - text) - 4;
	p = (char *)memset(p, 'c', len) + len;
	memcpy(p, "\r\n\r\n", 4);
	ck_assert_int_eq(
	    http_head_parse(guarded(text, 114688), 114688, 0, &limits, &head),
	    0);
	memcpy(p, "c\r\n\r\n", 5);
	ck_assert_int_eq(
	    http_head_parse(guarded(text, 114689), 114689, 0, &limits, &head),
	    413);
	free(text);
}
END_TEST

START_TEST(more_fields_than_there_is_room_for_are_431)
{
	char text[8192], *p = stpcpy(text, "GET / HTTP/1.1\r\nHost: a\r\n");

	for (int i = 1; i < HTTP_FIELDS_MAX; i++)
		p = stpcpy(p, "A: b\r\n");
	memcpy(p, "\r\n", 3);
	accept_head(text);
	ck_assert_uint_eq(head.nfields, HTTP_FIELDS_MAX);
	memcpy(p, "A: b\r\n\r\n", 9);
	ck_assert_int_eq(parse(text, 0), 431);
}
END_TEST

static const struct {
	const char *text;
	size_t end; /* 0 = none */
} ends[] = {
	{ "", 0 },
	{ "\r\n", 0 },
	{ "\r\n\r\n\r\n", 0 },
	{ "GET / HTTP/1.1\r\n", 0 },
	{ "GET / HTTP/1.1\r\n\r\n", 18 },
	{ "\r\n\r\nGET / HTTP/1.1\r\n\r\n", 22 },
	{ "GET / HTTP/1.1\r\nA: b\r\n\r\nbody\r\n\r\n", 24 },
	{ "GET / HTTP/1.1\n\nbody", 16 },
	{ "GET / HTTP/1.1\n\r\nbody", 17 },
	{ "GET / HTTP/1.1\r\n\nbody", 17 },
	{ "GET / HTTP/1.1\r\n\rbody", 0 },
	{ "G\r\n\r\nT", 5 },
};

START_TEST(the_end_is_found_whole_and_byte_by_byte)
{
	const char *text = ends[_i].text;
	size_t len = strlen(text), end = 0, n;

	ck_assert_uint_eq(
	    http_head_end(guarded(text, len), len, 0), ends[_i].end);
	for (n = 0; n <= len && end == 0; n++)
		end = http_head_end(guarded(text, n), n, n > 0 ? n - 1 : 0);
	ck_assert_uint_eq(end, ends[_i].end);
	/* It is found with its last byte, and not before. */
	if (end > 0)
		ck_assert_uint_eq(n - 1, end);
	for (size_t from = 0; from < ends[_i].end; from++)
		ck_assert_uint_eq(
		    http_head_end(guarded(text, len), len, from), ends[_i].end);
}
END_TEST

START_TEST(blank_lines_before_a_request_are_counted)
{
	ck_assert_uint_eq(http_head_blank("\r\n\r\nGET", 7), 4);
	ck_assert_uint_eq(http_head_blank(guarded("\r\n\r", 3), 3), 2);
	ck_assert_uint_eq(http_head_blank("\n\nGET", 5), 0);
	ck_assert_uint_eq(http_head_blank("", 0), 0);
}
END_TEST

START_TEST(http_0_9_ends_with_its_line)
{
	ck_assert_uint_eq(http_head_old_end("GET /x\r\n", 8), 8);
	ck_assert_uint_eq(http_head_old_end("GET /x\nGET /y\n", 14), 7);
	ck_assert_uint_eq(http_head_old_end("GET /x HTTP/1.1\r\n", 17), 0);
	ck_assert_uint_eq(http_head_old_end(guarded("GET /x", 6), 6), 0);
	ck_assert_uint_eq(http_head_old_end("GET\r\n", 5), 0);
}
END_TEST

START_TEST(a_head_without_hope_is_refused_before_it_ends)
{
	char *text = malloc(114689);

	memset(text, 'a', 114689);
	ck_assert_int_eq(http_head_overrun(text, 16000, &limits), 0);
	ck_assert_int_eq(http_head_overrun(text, 17000, &limits), 414);
	text[100] = '\n';
	ck_assert_int_eq(http_head_overrun(text, 17000, &limits), 0);
	ck_assert_int_eq(http_head_overrun(text, 114688, &limits), 0);
	ck_assert_int_eq(http_head_overrun(text, 114689, &limits), 413);
	free(text);
	ck_assert_int_eq(
	    http_head_overrun("\x16\x03\x01\x02", 4, &limits), 400);
	ck_assert_int_eq(http_head_overrun("\r\n\x16", 3, &limits), 400);
	ck_assert_int_eq(http_head_overrun("\r\n\r", 3, &limits), 0);
	ck_assert_int_eq(http_head_overrun("", 0, &limits), 0);
}
END_TEST

#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))

int
main(void)
{
	Suite *suite = suite_create("http_head");
	TCase *tc = tcase_create("http_head");

	suite_add_tcase(suite, tc);
	tcase_add_test(tc, a_request_line_is_taken_apart);
	tcase_add_test(
	    tc, fields_come_in_order_and_without_the_blanks_around_them);
	tcase_add_test(tc, the_host_is_split_from_its_port);
	tcase_add_test(
	    tc, the_authority_of_an_absolute_target_beats_the_host_field);
	tcase_add_test(tc, the_body_is_framed_by_length_or_by_chunks);
	tcase_add_loop_test(tc,
	    the_connection_is_kept_as_version_and_options_say, 0,
	    ROWS(connections));
	tcase_add_test(tc, compat_gives_what_unicorn_gave);
	tcase_add_loop_test(
	    tc, what_is_too_long_gets_unicorns_status, 0, ROWS(lengths));
	tcase_add_test(tc, a_head_beyond_112_kib_is_413);
	tcase_add_test(tc, more_fields_than_there_is_room_for_are_431);
	tcase_add_loop_test(
	    tc, the_end_is_found_whole_and_byte_by_byte, 0, ROWS(ends));
	tcase_add_test(tc, blank_lines_before_a_request_are_counted);
	tcase_add_test(tc, http_0_9_ends_with_its_line);
	tcase_add_test(tc, a_head_without_hope_is_refused_before_it_ends);
	return suite_run(suite);
}
