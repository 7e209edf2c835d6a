/*
 * http_strict.c - requests and the statuses they get. One table, so that both
 * parser libraries are held to the same answers.
 */
#include "http/head.h"
#include "http_guard.h"

#include <check.h>
#include <stdio.h>

#include "suite.h"

#define H "Host: a\r\n"
#define GET "GET / HTTP/1.1\r\n" H
#define POST "POST / HTTP/1.1\r\n" H

static const struct {
	const char *request;
	int strict; /* status, 0 = accepted */
	int compat; /* the same under HTTP_COMPAT_UNICORN */
} table[] = {
	{ GET "\r\n", 0, 0 },
	{ "\r\n\r\n" GET "\r\n", 0, 0 },
	{ "GET / HTTP/1.0\r\n\r\n", 0, 0 },
	/* Methods. */
	{ "get / HTTP/1.1\r\n" H "\r\n", 0, 0 },
	{ "PROPFIND / HTTP/1.1\r\n" H "\r\n", 0, 0 },
	{ "BREW-COFFEE~1 / HTTP/1.1\r\n" H "\r\n", 0, 0 },
	{ "ABCDEFGHIJKLMNOPQRST / HTTP/1.1\r\n" H "\r\n", 0, 0 },
	{ "ABCDEFGHIJKLMNOPQRSTU / HTTP/1.1\r\n" H "\r\n", 400, 400 },
	{ "PRI / HTTP/1.1\r\n" H "\r\n", 0, 0 },
	{ "SOURCE / HTTP/1.1\r\n" H "\r\n", 0, 0 },
	{ "G@T / HTTP/1.1\r\n" H "\r\n", 400, 400 },
	{ "G\xc3\x84T / HTTP/1.1\r\n" H "\r\n", 400, 400 },
	{ " / HTTP/1.1\r\n" H "\r\n", 400, 400 },
	{ " GET / HTTP/1.1\r\n" H "\r\n", 400, 400 },
	{ "GET\t/ HTTP/1.1\r\n" H "\r\n", 400, 400 },
	{ "CONNECT a:443 HTTP/1.1\r\n" H "\r\n", 501, 400 },
	{ "CONNECT / HTTP/1.1\r\n" H "\r\n", 501, 0 },
	/* Versions. */
	{ "GET / HTTP/1.2\r\n" H "\r\n", 0, 0 },
	{ "GET / HTTP/1.9\r\n" H "\r\n", 0, 0 },
	{ "GET / HTTP/2.0\r\n" H "\r\n", 505, 0 },
	{ "PRI * HTTP/2.0\r\n\r\n", 505, 0 },
	{ "GET / HTTP/3.1\r\n" H "\r\n", 505, 0 },
	{ "GET / HTTP/0.9\r\n" H "\r\n", 400, 0 },
	{ "GET / HTTP/11.1\r\n" H "\r\n", 400, 0 },
	{ "GET / HTTP/1.10\r\n" H "\r\n", 400, 0 },
	{ "GET / HTTP/2\r\n" H "\r\n", 400, 400 },
	{ "GET / HTTP/1/1\r\n" H "\r\n", 400, 400 },
	{ "GET / HTTP/1.\r\n" H "\r\n", 400, 400 },
	{ "GET / HTTP/.1\r\n" H "\r\n", 400, 400 },
	{ "GET / HTTP/1.1x\r\n" H "\r\n", 400, 400 },
	{ "GET / http/1.1\r\n" H "\r\n", 400, 400 },
	{ "GET / HTTP/1.1 \r\n" H "\r\n", 400, 400 },
	{ "GET /  HTTP/1.1\r\n" H "\r\n", 400, 400 },
	{ "GET  / HTTP/1.1\r\n" H "\r\n", 400, 400 },
	{ "GET / \r\n" H "\r\n", 400, 400 },
	{ "GET /\r\n\r\n", 400, 400 },
	{ "GET /\r\n", 400, 0 },
	{ "POST /\r\n", 400, 400 },
	/* Targets. */
	{ "GET /a%20b?c=%2F HTTP/1.1\r\n" H "\r\n", 0, 0 },
	{ "GET /|{}^[]`\"<>\\ HTTP/1.1\r\n" H "\r\n", 0, 0 },
	{ "GET /\xc3\xa4 HTTP/1.1\r\n" H "\r\n", 400, 0 },
	{ "GET /%zz HTTP/1.1\r\n" H "\r\n", 400, 400 },
	{ "GET /?%4 HTTP/1.1\r\n" H "\r\n", 400, 400 },
	{ "GET /% HTTP/1.1\r\n" H "\r\n", 400, 400 },
	{ "GET /a\tb HTTP/1.1\r\n" H "\r\n", 400, 400 },
	{ "GET /a\x0c HTTP/1.1\r\n" H "\r\n", 400, 400 },
	{ "GET /a\x7f HTTP/1.1\r\n" H "\r\n", 400, 400 },
	{ "GET /a\rb HTTP/1.1\r\n" H "\r\n", 400, 400 },
	{ "GET /a b HTTP/1.1\r\n" H "\r\n", 400, 400 },
	{ "GET /a#b HTTP/1.1\r\n" H "\r\n", 400, 0 },
	{ "GET /a#b#c HTTP/1.1\r\n" H "\r\n", 400, 400 },
	{ "GET a HTTP/1.1\r\n" H "\r\n", 400, 400 },
	{ "GET ?a HTTP/1.1\r\n" H "\r\n", 400, 400 },
	{ "GET //a HTTP/1.1\r\n" H "\r\n", 0, 0 },
	{ "OPTIONS * HTTP/1.1\r\n" H "\r\n", 0, 0 },
	{ "GET * HTTP/1.1\r\n" H "\r\n", 400, 0 },
	{ "OPTIONS *a HTTP/1.1\r\n" H "\r\n", 400, 400 },
	{ "GET http://a/b HTTP/1.1\r\n" H "\r\n", 0, 0 },
	{ "GET HTTPS://a:8443/b?c HTTP/1.1\r\n" H "\r\n", 0, 0 },
	{ "GET http://a HTTP/1.1\r\n" H "\r\n", 0, 0 },
	{ "GET http://a?b HTTP/1.1\r\n" H "\r\n", 0, 0 },
	{ "GET http://[::1]:80/ HTTP/1.1\r\n" H "\r\n", 0, 0 },
	{ "GET ftp://a/b HTTP/1.1\r\n" H "\r\n", 400, 400 },
	{ "GET http:///b HTTP/1.1\r\n" H "\r\n", 400, 400 },
	{ "GET http://:80/b HTTP/1.1\r\n" H "\r\n", 400, 0 },
	{ "GET http:/a HTTP/1.1\r\n" H "\r\n", 400, 400 },
	{ "GET http://u:p@a/ HTTP/1.1\r\n" H "\r\n", 400, 0 },
	{ "GET http://a:x/ HTTP/1.1\r\n" H "\r\n", 400, 0 },
	{ "GET http://a/b HTTP/1.1\r\n\r\n", 400, 0 },
	/* Host. */
	{ "GET / HTTP/1.1\r\n\r\n", 400, 0 },
	{ "GET / HTTP/1.1\r\nHost:\r\n\r\n", 0, 0 },
	{ "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400, 0 },
	{ "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400, 0 },
	{ "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400, 0 },
	{ "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400, 0 },
	{ "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, 0 },
	{ "GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", 400, 0 },
	{ "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", 400, 0 },
	{ "GET / HTTP/1.1\r\nHost: a:1:2\r\n\r\n", 400, 0 },
	{ "GET / HTTP/1.1\r\nHost: :80\r\n\r\n", 400, 0 },
	{ "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400, 0 },
	{ "GET / HTTP/1.1\r\nHost: [zz]\r\n\r\n", 400, 0 },
	{ "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", 0, 0 },
	{ "GET / HTTP/1.1\r\nHost: a_b.c%2Fd:\r\n\r\n", 0, 0 },
	{ "GET / HTTP/1.1\r\nHost: a%2\r\n\r\n", 400, 0 },
	/* Lines and fields. */
	{ "GET / HTTP/1.1\nHost: a\n\n", 400, 0 },
	{ "GET / HTTP/1.1\r\nHost: a\n\r\n", 400, 0 },
	{ GET "\n", 400, 0 },
	{ GET "A: b\rc\r\n\r\n", 400, 400 },
	{ GET "A: b\r\r\n\r\n", 400, 400 },
	{ GET "A\rB: b\r\n\r\n", 400, 400 },
	{ GET "A: b\r\n c\r\n\r\n", 400, 400 },
	{ "GET / HTTP/1.1\r\n A: b\r\n" H "\r\n", 400, 400 },
	{ GET "A : b\r\n\r\n", 400, 400 },
	{ GET "A B: c\r\n\r\n", 400, 400 },
	{ GET "A\r\n\r\n", 400, 400 },
	{ GET ": a\r\n\r\n", 400, 400 },
	{ GET "A\xc3\xa4: b\r\n\r\n", 400, 400 },
	{ GET "A(): b\r\n\r\n", 400, 400 },
	{ GET "A:\r\nB: \t \r\nC:d\t\r\n\r\n", 0, 0 },
	{ GET "A: b\tc \xc3\xa4\xff\r\n\r\n", 0, 0 },
	{ GET "A: b\x01\r\n\r\n", 400, 400 },
	{ GET "A: b\x7f\r\n\r\n", 400, 400 },
	{ GET "A: b\x0b\r\n\r\n", 400, 400 },
	{ GET "!#$%&'*+-.^_`|~09Az: b\r\n\r\n", 0, 0 },
	/* Content-Length. */
	{ POST "Content-Length: 3\r\n\r\n", 0, 0 },
	{ POST "content-length:003\r\n\r\n", 0, 0 },
	{ POST "Content-Length: 9223372036854775807\r\n\r\n", 0, 0 },
	{ POST "Content-Length: 9223372036854775808\r\n\r\n", 400, 400 },
	{ POST "Content-Length: 18446744073709551619\r\n\r\n", 400, 400 },
	{ POST "Content-Length: 3\r\nContent-Length: 3\r\n\r\n", 400, 400 },
	{ POST "Content-Length: 0\r\nContent-Length: 3\r\n\r\n", 400, 400 },
	{ POST "Content-Length: 0,3\r\n\r\n", 400, 400 },
	{ POST "Content-Length: 3, 3\r\n\r\n", 400, 400 },
	{ POST "Content-Length: +3\r\n\r\n", 400, 400 },
	{ POST "Content-Length: -3\r\n\r\n", 400, 400 },
	{ POST "Content-Length:  3 4\r\n\r\n", 400, 400 },
	{ POST "Content-Length: 0x3\r\n\r\n", 400, 400 },
	{ POST "Content-Length: 3.0\r\n\r\n", 400, 400 },
	{ POST "Content-Length: \r\n\r\n", 400, 400 },
	{ POST "Content-Length : 3\r\n\r\n", 400, 400 },
	{ POST "Content_Length: 3\r\n\r\n", 400, 400 },
	{ POST "CONTENT_LENGTH: 3\r\n\r\n", 400, 400 },
	/* Transfer-Encoding. */
	{ POST "Transfer-Encoding: chunked\r\n\r\n", 0, 0 },
	{ POST "transfer-encoding:\tCHUNKED \r\n\r\n", 0, 0 },
	{ POST "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", 400,
	    400 },
	{ POST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400,
	    400 },
	{ POST "Content-Length: 3\r\nTransfer-Encoding: gzip\r\n\r\n", 400,
	    400 },
	{ POST "Transfer-Encoding: gzip\r\n\r\n", 501, 501 },
	{ POST "Transfer-Encoding: gzip, chunked\r\n\r\n", 501, 501 },
	{ POST "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n",
	    501, 501 },
	{ POST "Transfer-Encoding: identity\r\n\r\n", 501, 501 },
	{ POST "Transfer-Encoding: xchunked\r\n\r\n", 501, 501 },
	{ POST "Transfer-Encoding: chunkedx\r\n\r\n", 501, 501 },
	{ POST "Transfer-Encoding: chunked, gzip\r\n\r\n", 400, 400 },
	{ POST "Transfer-Encoding: chunked, chunked\r\n\r\n", 400, 400 },
	{ POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"
	       "\r\n",
	    400, 400 },
	{ POST "Transfer-Encoding: chunked,\r\n\r\n", 400, 400 },
	{ POST "Transfer-Encoding: ,chunked\r\n\r\n", 400, 400 },
	{ POST "Transfer-Encoding: chunked;q=1\r\n\r\n", 400, 400 },
	{ POST "Transfer-Encoding: \"chunked\"\r\n\r\n", 400, 400 },
	{ POST "Transfer-Encoding: chunk ed\r\n\r\n", 400, 400 },
	{ POST "Transfer-Encoding:\r\n\r\n", 400, 400 },
	{ POST "Transfer-Encoding:\x0b"
	       "chunked\r\n\r\n",
	    400, 400 },
	{ POST "Transfer-Encoding : chunked\r\n\r\n", 400, 400 },
	{ POST "Transfer_Encoding: chunked\r\n\r\n", 400, 400 },
	{ POST "Transfer-Encoding: chunked\r\n\tgzip\r\n\r\n", 400, 400 },
	{ "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400, 400 },
	/* Connections. */
	{ GET "Connection: upgrade\r\nUpgrade: websocket\r\n\r\n", 0, 0 },
	{ GET "Connection: ,, close ,\r\n\r\n", 0, 0 },
	{ POST "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n", 0, 0 },
};

static const struct http_limits limits = HTTP_LIMITS_INIT;
static struct http_head head;

static int
status_of(const char *request, size_t len, unsigned flags)
{
	return http_head_parse(
	    guarded(request, len), len, flags, &limits, &head);
}

START_TEST(a_request_gets_the_status_of_its_row)
{
	const char *request = table[_i].request;
	size_t len = strlen(request);
	int status = status_of(request, len, 0);

	ck_assert_msg(status == table[_i].strict, "%d, not %d, for:\n%s",
	    status, table[_i].strict, request);
	status = status_of(request, len, HTTP_COMPAT_UNICORN);
	ck_assert_msg(status == table[_i].compat,
	    "compat: %d, not %d, for:\n%s", status, table[_i].compat, request);
}
END_TEST

START_TEST(what_rfc_9112_accepts_unicorn_accepts)
{
	if (table[_i].strict == 0)
		ck_assert_int_eq(table[_i].compat, 0);
}
END_TEST

START_TEST(a_head_cut_anywhere_is_refused)
{
	const char *request = table[_i].request;

	for (size_t len = 0; len < strlen(request); len++) {
		int status = status_of(request, len, 0);

		ck_assert_msg(status >= 400, "%zu bytes of:\n%s", len, request);
	}
}
END_TEST

/* Every byte at a place of each kind, against the RFCs' own words. */
START_TEST(no_byte_passes_where_the_grammar_has_none)
{
	char name[] = GET "AxB: c\r\n\r\n";
	char value[] = GET "A: cxd\r\n\r\n", c = (char)_i;
	bool visible = _i > 0x20 && _i != 0x7f;
	bool token =
	    _i > 0 && _i < 0x80 &&
	    (strchr("!#$%&'*+-.^_`|~", _i) != NULL || (c >= '0' && c <= '9') ||
		(c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'));
	char query[] = "GET /?axb HTTP/1.1\r\n" H "\r\n";
	int want;

	query[7] = c;
	want = visible && _i < 0x80 && c != '#' && c != '%' ? 0 : 400;
	ck_assert_int_eq(status_of(query, sizeof(query) - 1, 0), want);
	name[sizeof(GET)] = c;
	want = token || c == ':' ? 0 : 400;
	ck_assert_int_eq(status_of(name, sizeof(name) - 1, 0), want);
	value[sizeof(GET) + 3] = c;
	want = visible || c == ' ' || c == '\t' ? 0 : 400;
	ck_assert_int_eq(status_of(value, sizeof(value) - 1, 0), want);
}
END_TEST

START_TEST(a_nul_is_refused_wherever_it_stands)
{
	char request[] = "\r\n" POST "Content-Length: 3\r\nA: b\r\n\r\n";
	size_t len = sizeof(request) - 1;

	ck_assert_int_eq(status_of(request, len, 0), 0);
	for (size_t i = 0; i < len; i++) {
		char was = request[i];

		request[i] = '\0';
		ck_assert_int_ge(status_of(request, len, 0), 400);
		request[i] = was;
	}
}
END_TEST

int
main(void)
{
	int rows = (int)(sizeof(table) / sizeof(table[0]));
	Suite *suite = suite_create("http_strict");
	TCase *tc = tcase_create("http_strict");

	suite_add_tcase(suite, tc);
	tcase_add_loop_test(tc, a_request_gets_the_status_of_its_row, 0, rows);
	tcase_add_loop_test(tc, what_rfc_9112_accepts_unicorn_accepts, 0, rows);
	tcase_add_loop_test(tc, a_head_cut_anywhere_is_refused, 0, rows);
	tcase_add_loop_test(
	    tc, no_byte_passes_where_the_grammar_has_none, 0, 256);
	tcase_add_test(tc, a_nul_is_refused_wherever_it_stands);
	return suite_run(suite);
}
