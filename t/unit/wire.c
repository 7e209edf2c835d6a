/*
 * wire.c - what messages.def promises, tried on each of its rows.
 */
#include "ipc/wire.h"

#include <check.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "suite.h"

struct row {
	const char *name;
	unsigned int senders;
	int min_fds, max_fds;
	size_t size;
	bool has_tail;
};

#define HAS_TEXT true
#define HAS_NONE false

static const struct row rows[] = {
#define RFK_MSG(name, senders, min_fds, max_fds, payload, tail)                \
	[RFK_MSG_##name] = { #name, (senders), (min_fds), (max_fds),           \
		sizeof(payload), HAS_##tail },
#include <reforkd/messages.def>
#undef RFK_MSG
};

static const char tail[] = "tail\0with a NUL";

/* The end of a page that nobody may read past. */
static char *
before_guard(const void *bytes, size_t len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t room = (len + page - 1) / page * page;
	char *p = mmap(NULL, room + page, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(p, MAP_FAILED);
	ck_assert_int_eq(mprotect(p + room, page, PROT_NONE), 0);
	memcpy(p + room - len, bytes, len);
	return p + room - len;
}

static enum rfk_role
a_sender(const struct row *row)
{
	unsigned int role = 1;

	while ((row->senders & role) == 0)
		role *= 2;
	return (enum rfk_role)role;
}

/* A message of this type with a payload of all different bytes. */
static int
make(enum rfk_type type, unsigned char *out, size_t cap)
{
	struct rfk_msg msg;
	size_t i;

	memset(&msg, 0, sizeof(msg));
	msg.type = type;
	for (i = 0; i < rows[type].size; i++)
		((unsigned char *)&msg.u)[i] = (unsigned char)(i + 1);
	if (rows[type].has_tail) {
		msg.tail = tail;
		msg.tail_len = sizeof(tail);
	}
	return wire_encode(&msg, out, cap);
}

START_TEST(a_message_comes_back_as_it_was)
{
	const struct row *row = &rows[_i];
	unsigned char bytes[512];
	int len = make((enum rfk_type)_i, bytes, sizeof(bytes));
	struct rfk_msg msg;
	size_t i;

	ck_assert_int_gt(len, 0);
	ck_assert_int_eq(wire_decode(before_guard(bytes, (size_t)len),
			     (size_t)len, row->min_fds, a_sender(row), &msg),
	    0);
	ck_assert_int_eq((int)msg.type, _i);
	for (i = 0; i < row->size; i++)
		ck_assert_uint_eq(((unsigned char *)&msg.u)[i], i + 1);
	ck_assert_uint_eq(msg.tail_len, row->has_tail ? sizeof(tail) : 0);
	if (row->has_tail)
		ck_assert_mem_eq(msg.tail, tail, sizeof(tail));
	ck_assert_str_eq(wire_name(msg.type), row->name);
}
END_TEST

START_TEST(every_truncation_is_refused)
{
	const struct row *row = &rows[_i];
	unsigned char bytes[512];
	int len = make((enum rfk_type)_i, bytes, sizeof(bytes));
	struct rfk_msg msg;
	int n;

	for (n = 0; n < len; n++)
		ck_assert_int_eq(
		    wire_decode(before_guard(bytes, (size_t)n), (size_t)n,
			row->min_fds, a_sender(row), &msg),
		    -EPROTO);
}
END_TEST

START_TEST(an_extra_byte_is_refused)
{
	const struct row *row = &rows[_i];
	unsigned char bytes[512];
	int len = make((enum rfk_type)_i, bytes, sizeof(bytes) - 1);
	struct rfk_msg msg;

	bytes[len] = 0;
	ck_assert_int_eq(wire_decode(bytes, (size_t)len + 1, row->min_fds,
			     a_sender(row), &msg),
	    -EPROTO);
}
END_TEST

START_TEST(only_its_senders_may_send_it)
{
	const struct row *row = &rows[_i];
	unsigned char bytes[512];
	int len = make((enum rfk_type)_i, bytes, sizeof(bytes));
	unsigned int role;
	struct rfk_msg msg;

	for (role = 1; role <= 8; role *= 2)
		ck_assert_int_eq(wire_decode(bytes, (size_t)len, row->min_fds,
				     (enum rfk_role)role, &msg),
		    (row->senders & role) != 0 ? 0 : -EPROTO);
	ck_assert_int_eq(wire_decode(bytes, (size_t)len, row->min_fds,
			     (enum rfk_role)0, &msg),
	    -EPROTO);
}
END_TEST

START_TEST(any_other_number_of_descriptors_is_refused)
{
	const struct row *row = &rows[_i];
	unsigned char bytes[512];
	int len = make((enum rfk_type)_i, bytes, sizeof(bytes));
	struct rfk_msg msg;
	int n;

	for (n = 0; n <= RFK_FDS_MAX + 1; n++)
		ck_assert_int_eq(
		    wire_decode(bytes, (size_t)len, n, a_sender(row), &msg),
		    n >= row->min_fds && n <= row->max_fds ? 0 : -EPROTO);
}
END_TEST

START_TEST(a_buffer_that_is_too_small_is_not_written_past)
{
	unsigned char bytes[512], small[512];
	int len = make((enum rfk_type)_i, bytes, sizeof(bytes));
	int n;

	for (n = 0; n < len; n++) {
		memset(small, 0xee, sizeof(small));
		ck_assert_int_eq(
		    make((enum rfk_type)_i, small, (size_t)n), -EMSGSIZE);
		ck_assert_uint_eq(small[n], 0xee);
	}
	ck_assert_int_eq(make((enum rfk_type)_i, small, (size_t)len), len);
}
END_TEST

START_TEST(a_tail_is_as_long_as_its_row_allows)
{
	static unsigned char bytes[WIRE_MAX];
	static char longest[RFK_TAIL_MAX + 1];
	struct rfk_msg msg, back;
	int len;

	memset(&msg, 0, sizeof(msg));
	msg.type = (enum rfk_type)_i;
	msg.tail = longest;
	msg.tail_len = rows[_i].has_tail ? RFK_TAIL_MAX : 0;
	len = wire_encode(&msg, bytes, sizeof(bytes));
	ck_assert_int_gt(len, 0);
	ck_assert_int_eq(wire_decode(bytes, (size_t)len, rows[_i].min_fds,
			     a_sender(&rows[_i]), &back),
	    0);
	ck_assert_uint_eq(back.tail_len, msg.tail_len);
	msg.tail_len++;
	ck_assert_int_eq(wire_encode(&msg, bytes, sizeof(bytes)),
	    rows[_i].has_tail ? -EMSGSIZE : -EINVAL);
}
END_TEST

START_TEST(an_unknown_type_is_refused_both_ways)
{
	static const uint32_t types[] = { 0, RFK_MSG_END, RFK_MSG_END + 1,
		0x80000000u, UINT32_MAX };
	uint32_t head[64] = { 0 };
	struct rfk_msg msg, in;
	size_t i, len;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		memset(&in, 0, sizeof(in));
		in.type = (enum rfk_type)types[i];
		ck_assert_int_eq(wire_encode(&in, head, sizeof(head)), -EINVAL);
		ck_assert_str_eq(wire_name(in.type), "?");
		memset(head, 0, sizeof(head));
		head[0] = types[i];
		for (len = 0; len <= sizeof(head); len++)
			ck_assert_int_eq(
			    wire_decode(head, len, 0, RFK_MASTER, &msg),
			    -EPROTO);
	}
}
END_TEST

static void
add_for_each_row(TCase *tc, const TTest *test)
{
	_tcase_add_test(tc, test, 0, 0, RFK_MSG_NONE + 1, RFK_MSG_END);
}

int
main(void)
{
	Suite *suite = suite_create("wire");
	TCase *tc = tcase_create("wire");

	suite_add_tcase(suite, tc);
	add_for_each_row(tc, a_message_comes_back_as_it_was);
	add_for_each_row(tc, every_truncation_is_refused);
	add_for_each_row(tc, an_extra_byte_is_refused);
	add_for_each_row(tc, only_its_senders_may_send_it);
	add_for_each_row(tc, any_other_number_of_descriptors_is_refused);
	add_for_each_row(tc, a_buffer_that_is_too_small_is_not_written_past);
	add_for_each_row(tc, a_tail_is_as_long_as_its_row_allows);
	tcase_add_test(tc, an_unknown_type_is_refused_both_ways);
	return suite_run(suite);
}
