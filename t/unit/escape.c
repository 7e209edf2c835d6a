/*
 * escape.c - words, records and the default socket's path.
 */
#include "base/escape.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/record.h"
#include "base/sockpath.h"
#include "suite.h"

START_TEST(every_byte_comes_back_and_none_ends_a_word)
{
	struct buf b = BUF_INIT;
	char all[256];
	char *word;
	size_t i;

	for (i = 0; i < 255; i++)
		all[i] = (char)(i + 1);
	all[255] = '\0';
	ck_assert_int_eq(escape_put(&b, all, 255), 0);
	for (i = 0; i < b.len; i++)
		ck_assert(b.data[i] > ' ' && b.data[i] < 0x7f);
	word = strdup(buf_cstr(&b));
	ck_assert_ptr_nonnull(word);
	ck_assert_int_eq(escape_undo(word), 255);
	ck_assert_str_eq(word, all);
	free(word);
	buf_fini(&b);
}
END_TEST

START_TEST(what_is_no_escape_is_refused)
{
	static const char *const wrong[] = { "%", "%2", "a%zz", "%2g", "%00",
		"ok%20then%" };
	char word[32];
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		memcpy(word, wrong[i], strlen(wrong[i]) + 1);
		ck_assert_int_eq(escape_undo(word), -EINVAL);
	}
}
END_TEST

START_TEST(a_record_says_what_was_put_into_it)
{
	struct buf b = BUF_INIT;
	struct record record;
	char *line;

	ck_assert_int_eq(record_begin(&b, "slot"), 0);
	ck_assert_int_eq(record_text(&b, "path", "/a b=%\n"), 0);
	ck_assert_int_eq(record_count(&b, "requests", UINT64_MAX), 0);
	ck_assert_int_eq(record_signed(&b, "rc", -5), 0);
	ck_assert_int_eq(record_text(&b, "empty", ""), 0);
	line = strdup(buf_cstr(&b));
	ck_assert_ptr_nonnull(line);
	ck_assert_int_eq(record_parse(&record, line), 0);
	ck_assert_str_eq(record.kind, "slot");
	ck_assert_str_eq(record_get(&record, "path"), "/a b=%\n");
	ck_assert_str_eq(
	    record_get(&record, "requests"), "18446744073709551615");
	ck_assert_str_eq(record_get(&record, "rc"), "-5");
	ck_assert_str_eq(record_get(&record, "empty"), "");
	ck_assert_ptr_null(record_get(&record, "pid"));
	free(line);
	buf_fini(&b);
}
END_TEST

START_TEST(a_line_that_is_no_record_is_refused)
{
	char empty[] = "", blanks[] = "   ", word[] = "slot nr";
	char nameless[] = "slot =1", wrong[] = "slot path=%2";
	struct record record;
	char many[512] = "slot";
	int i;

	ck_assert_int_eq(record_parse(&record, empty), -EPROTO);
	ck_assert_int_eq(record_parse(&record, blanks), -EPROTO);
	ck_assert_int_eq(record_parse(&record, word), -EPROTO);
	ck_assert_int_eq(record_parse(&record, nameless), -EPROTO);
	ck_assert_int_eq(record_parse(&record, wrong), -EPROTO);
	for (i = 0; i <= RECORD_FIELDS_MAX; i++)
		memcpy(many + 4 + 4 * i, " a=1", 5);
	ck_assert_int_eq(record_parse(&record, many), -EPROTO);
}
END_TEST

START_TEST(the_hash_is_fnv_1a)
{
	ck_assert_uint_eq(sockpath_hash(""), 0xcbf29ce484222325u);
	ck_assert_uint_eq(sockpath_hash("a"), 0xaf63dc4c8601ec8cu);
	ck_assert_uint_eq(sockpath_hash("foobar"), 0x85944171f73967e8u);
}
END_TEST

START_TEST(the_runtime_directory_comes_first)
{
	char dir[SOCKPATH_MAX], path[SOCKPATH_MAX], other[SOCKPATH_MAX];
	char longer[200];

	ck_assert_int_eq(setenv("XDG_RUNTIME_DIR", "/run/me", 1), 0);
	ck_assert_int_eq(sockpath_dir(dir, sizeof(dir)), 0);
	ck_assert_str_eq(dir, "/run/me/reforkd");
	ck_assert_int_eq(
	    sockpath_by_config("/dev/null", path, sizeof(path)), 0);
	ck_assert_mem_eq(path, "/run/me/reforkd/", 16);
	/* However it is written, a file has one socket. */
	ck_assert_int_eq(
	    sockpath_by_config("/dev/../dev/null", other, sizeof(other)), 0);
	ck_assert_str_eq(path, other);
	ck_assert_int_eq(
	    sockpath_by_config("/nonexistent", path, sizeof(path)), -ENOENT);
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	ck_assert_int_eq(
	    sockpath_by_pid_file(longer, path, sizeof(path)), -ENAMETOOLONG);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("escape");
	TCase *tc = tcase_create("escape");

	suite_add_tcase(suite, tc);
	tcase_add_test(tc, every_byte_comes_back_and_none_ends_a_word);
	tcase_add_test(tc, what_is_no_escape_is_refused);
	tcase_add_test(tc, a_record_says_what_was_put_into_it);
	tcase_add_test(tc, a_line_that_is_no_record_is_refused);
	tcase_add_test(tc, the_hash_is_fnv_1a);
	tcase_add_test(tc, the_runtime_directory_comes_first);
	return suite_run(suite);
}
