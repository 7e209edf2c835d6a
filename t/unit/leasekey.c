/*
 * leasekey.c - the key of a lease: which fields it has, and that nothing but
 * the same bytes is the same key.
 */
#include "base/leasekey.h"

#include <errno.h>
#include <string.h>

#include "suite.h"

/* A literal with NULs in it, as LEASE's fields are kept. */
#define FIELDS(text) fields_of(text, sizeof(text) - 1)

static struct buf
fields_of(const char *text, size_t len)
{
	struct buf b = BUF_INIT;

	ck_assert_int_eq(buf_put(&b, text, len), 0);
	return b;
}

static int
make(struct buf *key, const char *names, struct buf fields, struct fail *why)
{
	int rc = leasekey_make(key, names, &fields, why);

	buf_fini(&fields);
	return rc;
}

START_TEST(has_the_fields_in_the_order_of_the_names)
{
	struct buf key = BUF_INIT, want = FIELDS("root=/a\0lock=1\0");
	struct fail why = FAIL_INIT;

	ck_assert_int_eq(
	    make(&key, "root,lock",
		FIELDS("pool=x\0lock=1\0rooty=/b\0root=/a\0"), &why),
	    0);
	ck_assert(leasekey_same(&key, &want));
	buf_fini(&key);
	buf_fini(&want);
}
END_TEST

START_TEST(is_the_same_by_its_bytes_alone)
{
	struct buf a = FIELDS("root=/a\0lock=\0");
	struct buf b = FIELDS("root=/a\0lock=\0");
	struct buf longer = FIELDS("root=/a\0lock=x\0");
	struct buf moved = FIELDS("root=/a\0lock\0=");

	ck_assert(leasekey_same(&a, &b));
	ck_assert(!leasekey_same(&a, &longer));
	ck_assert(!leasekey_same(&a, &moved));
	buf_fini(&a);
	buf_fini(&b);
	buf_fini(&longer);
	buf_fini(&moved);
}
END_TEST

START_TEST(says_what_is_missing)
{
	struct buf key = BUF_INIT;
	struct fail why = FAIL_INIT;

	ck_assert_int_eq(
	    make(&key, "root,lock", FIELDS("root=/a\0"), &why), -EPROTO);
	ck_assert_ptr_nonnull(strstr(why.text, "LEASE has no lock"));
	buf_fini(&key);
	ck_assert_int_eq(make(&key, "root", FIELDS(""), &why), -EPROTO);
	buf_fini(&key);
}
END_TEST

START_TEST(has_a_limit)
{
	char text[LEASEKEY_MAX + 16] = "root=";
	struct buf key = BUF_INIT;
	struct fail why = FAIL_INIT;

	memset(text + 5, 'x', LEASEKEY_MAX - 6);
	ck_assert_int_eq(
	    make(&key, "root", fields_of(text, LEASEKEY_MAX), &why), 0);
	ck_assert_uint_eq(key.len, LEASEKEY_MAX);
	buf_fini(&key);
	text[LEASEKEY_MAX - 1] = 'x';
	ck_assert_int_eq(
	    make(&key, "root", fields_of(text, LEASEKEY_MAX + 1), &why),
	    -EPROTO);
	buf_fini(&key);
}
END_TEST

START_TEST(is_printed_without_a_control)
{
	struct buf key = FIELDS("root=/a b\n\0lock=\xff\0");
	char out[64], cut[8];

	ck_assert_str_eq(
	    leasekey_text(&key, out, sizeof(out)), "root=/a%20b%0A lock=%FF");
	ck_assert_str_eq(leasekey_text(&key, cut, sizeof(cut)), "root=/a");
	buf_fini(&key);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("leasekey");
	TCase *tests = tcase_create("key");

	tcase_add_test(tests, has_the_fields_in_the_order_of_the_names);
	tcase_add_test(tests, is_the_same_by_its_bytes_alone);
	tcase_add_test(tests, says_what_is_missing);
	tcase_add_test(tests, has_a_limit);
	tcase_add_test(tests, is_printed_without_a_control);
	suite_add_tcase(suite, tests);
	return suite_run(suite);
}
