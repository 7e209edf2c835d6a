/*
 * relay_documents.c - edits in the three encodings, line ends, surrogates, and
 * changes that fit nowhere.
 */
#include "relay/documents.h"

#include <check.h>
#include <errno.h>
#include <string.h>

#include "suite.h"

static struct documents all;
static struct fail why;

static int
open_document(const char *text)
{
	json_t *params =
	    json_pack("{s:{s:s, s:s, s:i, s:s}}", "textDocument", "uri",
		"file:///a", "languageId", "ruby", "version", 1, "text", text);
	int rc = documents_open(&all, params, &why);

	json_decref(params);
	return rc;
}

static int
change(const char *json, enum text_encoding encoding)
{
	json_t *params = json_pack("{s:{s:s, s:i}, s:o}", "textDocument", "uri",
	    "file:///a", "version", 2, "contentChanges",
	    json_loads(json, JSON_ALLOW_NUL, NULL));
	int rc = documents_change(&all, params, encoding, &why);

	json_decref(params);
	return rc;
}

static int
edit(size_t line, size_t from, size_t line2, size_t to, const char *text,
    enum text_encoding encoding)
{
	char json[512];

	(void)snprintf(json, sizeof(json),
	    "[{\"range\":{\"start\":{\"line\":%zu,\"character\":%zu},"
	    "\"end\":{\"line\":%zu,\"character\":%zu}},\"text\":\"%s\"}]",
	    line, from, line2, to, text);
	return change(json, encoding);
}

static const char *
text(void)
{
	return buf_cstr(&all.at[0].text);
}

static void
begin(void)
{
	memset(&all, 0, sizeof(all));
	memset(&why, 0, sizeof(why));
}

static void
end(void)
{
	documents_fini(&all);
}

/* é: 2 bytes, 1 unit. €: 3, 1. 😀: 4 bytes, 2 units, 1 character. */
static const struct {
	const char *before;
	enum text_encoding encoding;
	size_t line, from, line2, to;
	const char *put, *after;
} edits[] = {
	{ "", TEXT_UTF16, 0, 0, 0, 0, "x", "x" },
	{ "abc", TEXT_UTF16, 0, 1, 0, 2, "", "ac" },
	{ "abc", TEXT_UTF16, 0, 3, 0, 3, "d", "abcd" },
	{ "a\nb\n", TEXT_UTF16, 2, 0, 2, 0, "c", "a\nb\nc" },
	{ "a\nb\nc", TEXT_UTF16, 0, 1, 2, 0, "-", "a-c" },
	{ "a\r\nb\rc\nd", TEXT_UTF16, 2, 0, 3, 0, "x", "a\r\nb\rxd" },
	{ "a\r\nb", TEXT_UTF16, 0, 99, 0, 99, "!", "a!\r\nb" },
	{ "é€😀x", TEXT_UTF16, 0, 4, 0, 5, "y", "é€😀y" },
	{ "é€😀x", TEXT_UTF8, 0, 9, 0, 10, "y", "é€😀y" },
	{ "é€😀x", TEXT_UTF32, 0, 3, 0, 4, "y", "é€😀y" },
	{ "é€😀x", TEXT_UTF16, 0, 2, 0, 4, "", "é€x" },
	{ "é€😀x", TEXT_UTF8, 0, 5, 0, 9, "", "é€x" },
	{ "é€😀x", TEXT_UTF32, 0, 2, 0, 3, "", "é€x" },
	/* in the middle of a character: before it */
	{ "é€😀x", TEXT_UTF16, 0, 3, 0, 4, "", "é€x" },
	{ "é€😀x", TEXT_UTF8, 0, 7, 0, 7, "-", "é€-😀x" },
	{ "a", TEXT_UTF16, 0, 1, 0, 1, "\\ud83d\\ude00", "a😀" },
};

START_TEST(an_edit_is_where_the_encoding_says)
{
	ck_assert_int_eq(open_document(edits[_i].before), 0);
	ck_assert_int_eq(edit(edits[_i].line, edits[_i].from, edits[_i].line2,
			     edits[_i].to, edits[_i].put, edits[_i].encoding),
	    0);
	ck_assert_str_eq(text(), edits[_i].after);
	ck_assert_int_eq(all.at[0].version, 2);
}
END_TEST

START_TEST(changes_follow_each_other)
{
	ck_assert_int_eq(open_document("old"), 0);
	ck_assert_int_eq(
	    change("[{\"text\":\"ab\\ncd\"},"
		   "{\"range\":{\"start\":{\"line\":1,\"character\":0},"
		   "\"end\":{\"line\":1,\"character\":1}},\"text\":\"xy\"},"
		   "{\"range\":null,\"text\":\"z\"},"
		   "{\"range\":{\"start\":{\"line\":0,\"character\":1},"
		   "\"end\":{\"line\":0,\"character\":1}},\"text\":\"\\n\"}]",
		TEXT_UTF16),
	    0);
	ck_assert_str_eq(text(), "z\n");
}
END_TEST

START_TEST(what_is_behind_the_end_is_said_and_put_at_the_end)
{
	ck_assert_int_eq(open_document("a\nb"), 0);
	ck_assert_int_eq(edit(7, 0, 9, 0, "x", TEXT_UTF16), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why.text, "behind the last line"));
	ck_assert_str_eq(text(), "a\nbx");
	ck_assert_int_eq(edit(0, 0, 9, 0, "", TEXT_UTF16), -EINVAL);
	ck_assert_str_eq(text(), "");
}
END_TEST

START_TEST(a_range_that_ends_before_it_begins_is_turned)
{
	ck_assert_int_eq(open_document("abcd"), 0);
	ck_assert_int_eq(edit(0, 3, 0, 1, "-", TEXT_UTF16), -EINVAL);
	ck_assert_str_eq(text(), "a-d");
}
END_TEST

static const char *const bad[] = { "[{}]", "[{\"text\":7}]", "[7]",
	"[{\"range\":7,\"text\":\"x\"}]",
	"[{\"range\":{\"start\":{\"line\":-1,\"character\":0},\"end\":{"
	"\"line\":0,\"character\":0}},\"text\":\"x\"}]",
	"[{\"range\":{\"start\":{\"line\":0.5,\"character\":0},\"end\":{"
	"\"line\":0,\"character\":0}},\"text\":\"x\"}]",
	"{}", "null" };

START_TEST(bad_changes_change_nothing)
{
	ck_assert_int_eq(open_document("abc"), 0);
	ck_assert_int_eq(change(bad[_i], TEXT_UTF16), -EINVAL);
	ck_assert_int_ne(why.text[0], '\0');
	ck_assert_str_eq(text(), "abc");
}
END_TEST

START_TEST(a_document_that_is_not_open_is_said)
{
	ck_assert_int_eq(change("[]", TEXT_UTF16), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why.text, "file:///a, which is not open"));
	ck_assert_int_eq(documents_close(&all, NULL, &why), -EINVAL);
	ck_assert_int_eq(documents_open(&all, NULL, &why), -EINVAL);
	ck_assert_uint_eq(all.n, 0);
}
END_TEST

START_TEST(documents_are_opened_again_as_they_are)
{
	struct buf out = BUF_INIT;

	ck_assert_int_eq(open_document("a"), 0);
	ck_assert_int_eq(open_document("b"), 0);
	ck_assert_uint_eq(all.n, 1);
	ck_assert_int_eq(edit(0, 1, 0, 1, "\\u0000!", TEXT_UTF16), 0);
	ck_assert_int_eq(documents_replay(&all, &out), 0);
	ck_assert_ptr_nonnull(strstr(buf_cstr(&out),
	    "{\"jsonrpc\":\"2.0\",\"method\":\"textDocument/didOpen\","
	    "\"params\":{\"textDocument\":{\"uri\":\"file:///a\","
	    "\"languageId\":\"ruby\",\"version\":2,\"text\":"
	    "\"b\\u0000!\"}}}"));
	buf_fini(&out);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("relay/documents");
	TCase *tcase = tcase_create("documents");

	tcase_add_checked_fixture(tcase, begin, end);
	tcase_add_loop_test(tcase, an_edit_is_where_the_encoding_says, 0,
	    (int)(sizeof(edits) / sizeof(edits[0])));
	tcase_add_test(tcase, changes_follow_each_other);
	tcase_add_test(
	    tcase, what_is_behind_the_end_is_said_and_put_at_the_end);
	tcase_add_test(tcase, a_range_that_ends_before_it_begins_is_turned);
	tcase_add_loop_test(tcase, bad_changes_change_nothing, 0,
	    (int)(sizeof(bad) / sizeof(bad[0])));
	tcase_add_test(tcase, a_document_that_is_not_open_is_said);
	tcase_add_test(tcase, documents_are_opened_again_as_they_are);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
