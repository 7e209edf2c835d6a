/* What a master hands to the program that it becomes: there and back. */
#include "suite.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "master/handover.h"

static struct handover *
made(void)
{
	static const char settings[] = "timeout=5000\0listen=/a b\tbacklog=3";
	struct handover *h = handover_new();
	struct handover_pool *p = handover_pool_add(h, "default");
	struct handover_process *one;

	h->protocol = 7;
	h->next_token = INT64_MAX;
	h->oom_base = -17;
	snprintf(h->pid_file, sizeof(h->pid_file), "/run/a=b.pid");
	snprintf(h->who, sizeof(h->who), "asked by nobody");
	p->wanted = 3;
	p->state_fd = -1;
	ck_assert_int_eq(buf_put(&p->settings, settings, sizeof(settings)), 0);
	handover_listener_add(p, "/run/a b.sock")->fd = 9;
	one = handover_process_add(p);
	one->slot = 511;
	one->drain_ms = 1;
	p = handover_pool_add(h, "other");
	p->index = 5;
	return h;
}

static struct handover *
read_back(const char *text, size_t len, struct fail *why, int *rc)
{
	struct handover *h = handover_new();

	*rc = handover_decode(h, text, len, why);
	return h;
}

START_TEST(what_is_written_is_read)
{
	struct handover *h = made(), *back;
	struct fail why = FAIL_INIT;
	struct buf text = BUF_INIT;
	int rc;

	ck_assert_int_eq(handover_encode(h, &text), 0);
	back = read_back(text.data, text.len, &why, &rc);
	ck_assert_msg(rc == 0, "%s", why.text);
	ck_assert_int_eq(back->protocol, 7);
	ck_assert(back->next_token == INT64_MAX);
	ck_assert_int_eq(back->oom_base, -17);
	ck_assert_int_eq(back->control_fd, -1);
	ck_assert_str_eq(back->pid_file, "/run/a=b.pid");
	ck_assert_str_eq(back->who, "asked by nobody");
	ck_assert_uint_eq(back->pools, 2);
	ck_assert_int_eq(back->pool[0].wanted, 3);
	ck_assert_str_eq(back->pool[0].listener[0].address, "/run/a b.sock");
	ck_assert_int_eq(back->pool[0].listener[0].fd, 9);
	ck_assert_int_eq(back->pool[0].process[0].slot, 511);
	ck_assert_int_eq(back->pool[0].process[0].drain_ms, 1);
	ck_assert_uint_eq(back->pool[0].settings.len, h->pool[0].settings.len);
	ck_assert(memcmp(back->pool[0].settings.data, h->pool[0].settings.data,
		      h->pool[0].settings.len) == 0);
	ck_assert_str_eq(back->pool[1].name, "other");
	ck_assert_int_eq(back->pool[1].index, 5);
	ck_assert_uint_eq(back->pool[1].processes, 0);
	handover_free(back);
	handover_free(h);
	buf_fini(&text);
}
END_TEST

/* Entries with "|" between. */
static void
check_refused(const char *entries, const char *reason)
{
	struct fail why = FAIL_INIT;
	char text[128], *p;
	size_t len = strlen(entries) + 1;
	int rc;

	memcpy(text, entries, len);
	for (p = text; p < text + len; p++)
		if (*p == '|')
			*p = '\0';
	handover_free(read_back(text, len, &why, &rc));
	ck_assert_int_lt(rc, 0);
	ck_assert_str_eq(why.text, reason);
}

/* Cut at each byte, it is refused, and nothing is read beyond. */
START_TEST(a_state_that_is_cut_off_is_refused)
{
	struct handover *h = made();
	struct fail why = FAIL_INIT;
	struct buf text = BUF_INIT;
	size_t len;
	int rc;

	ck_assert_int_eq(handover_encode(h, &text), 0);
	for (len = 0; len < text.len; len++) {
		char *copy = malloc(len + 1);

		memcpy(copy, text.data, len);
		if (len > 0 && copy[len - 1] == '\0') {
			free(copy);
			continue; /* whole entries are a state */
		}
		handover_free(read_back(copy, len, &why, &rc));
		ck_assert_int_eq(rc, -EPROTO);
		free(copy);
	}
	handover_free(h);
	buf_fini(&text);
}
END_TEST

static const struct {
	const char *text, *why;
} bad[] = {
	{ "state=1", "it says \"state=1\", this program reads \"state=2\"" },
	{ "state=x", "it says \"state=x\", this program reads \"state=2\"" },
	{ "hello", "it says \"hello\", this program reads \"state=2\"" },
	{ "state=2", "it has no pool" },
	{ "state=2|protocol=x", "\"protocol=x\": Protocol error" },
	{ "state=2|protocol=1 2", "\"protocol=1 2\": Protocol error" },
	{ "state=2|colour=1", "\"colour=1\": unknown to this program" },
	{ "state=2|pool=a|listener=3 0", "\"listener=3 0\": Protocol error" },
	{ "state=2|pool=a|process=1 2 3", "\"process=1 2 3\": Protocol error" },
	{ "state=2|pool=a_name_of_more_than_thirty_two_bytes",
	    "\"pool=a_name_of_more_than_thirty_two_bytes\": Argument list too "
	    "long" },
};

/* What stands in every version's state is read, the rest is left out. */
START_TEST(another_versions_state_is_read_as_far_as_it_can_be)
{
	static const char text[] =
	    "state=99\0protocol=7\0colour=blue\0control_fd=5\0"
	    "pid_file=/run/a.pid\0pool=default\0shape=\0drain_ms=70\0"
	    "listener=9 0 1 /run/a b.sock\0"
	    "process=100 20 21 -1 and more\0process=101 22 23 4";
	struct fail why = FAIL_INIT;
	struct handover *h;
	int rc;

	h = read_back(text, sizeof(text), &why, &rc);
	ck_assert_msg(rc == 0, "%s", why.text);
	ck_assert(h->is_other);
	ck_assert_int_eq(h->protocol, 7);
	ck_assert_int_eq(h->control_fd, 5);
	ck_assert_int_eq(h->client_fd, -1);
	ck_assert_str_eq(h->pid_file, "/run/a.pid");
	ck_assert_int_eq(h->pool[0].drain_ms, 70);
	ck_assert_int_eq(h->pool[0].listener[0].fd, 9);
	ck_assert_int_eq(h->pool[0].listener[0].immortal, 1);
	ck_assert_str_eq(h->pool[0].listener[0].address, "/run/a b.sock");
	ck_assert_uint_eq(h->pool[0].processes, 2);
	ck_assert_int_eq(h->pool[0].process[0].pid, 100);
	ck_assert_int_eq(h->pool[0].process[0].slot, -1);
	ck_assert_int_eq(h->pool[0].process[1].pidfd, 22);
	ck_assert_int_eq(h->pool[0].process[1].chan, 23);
	ck_assert_int_eq(h->pool[0].process[1].slot, 4);
	ck_assert_int_eq(h->pool[0].process[1].row, 0);
	handover_free(h);
}
END_TEST

/* An entry that begins so. */
static bool
stands_in(const struct buf *text, const char *start)
{
	const char *p = text->data, *end = text->data + text->len;

	for (; p < end; p += strlen(p) + 1)
		if (strncmp(p, start, strlen(start)) == 0)
			return true;
	return false;
}

/* Those places are a promise to every version that will be. */
START_TEST(what_all_versions_read_stays_where_it_is)
{
	struct handover *h = handover_new();
	struct handover_pool *p = handover_pool_add(h, "default");
	struct handover_process *one = handover_process_add(p);
	struct handover_listener *l = handover_listener_add(p, "/a");
	struct buf text = BUF_INIT;

	*one = (struct handover_process){
		.pid = 1, .pidfd = 2, .chan = 3, .slot = 4
	};
	l->fd = 5;
	l->shared = 6;
	l->immortal = 7;
	ck_assert_int_eq(handover_encode(h, &text), 0);
	ck_assert(stands_in(&text, "process=1 2 3 4 "));
	ck_assert(stands_in(&text, "listener=5 6 7 /a"));
	handover_free(h);
	buf_fini(&text);
}
END_TEST

/* Of another version it is refused where what must stand there does not. */
static const struct {
	const char *text, *why;
} bad_other[] = {
	{ "state=99", "it has no pool" },
	{ "state=99|control_fd=x", "\"control_fd=x\": Protocol error" },
	{ "state=99|pool=a|process=1 2 3",
	    "\"process=1 2 3\": Protocol error" },
	{ "state=99|pool=a|listener=3 0", "\"listener=3 0\": Protocol error" },
};

START_TEST(another_versions_state_must_have_what_all_have)
{
	check_refused(bad_other[_i].text, bad_other[_i].why);
}
END_TEST

START_TEST(what_cannot_be_is_named)
{
	check_refused(bad[_i].text, bad[_i].why);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("handover");
	TCase *tc = tcase_create("handover");

	suite_add_tcase(suite, tc);
	tcase_add_test(tc, another_versions_state_is_read_as_far_as_it_can_be);
	tcase_add_test(tc, what_all_versions_read_stays_where_it_is);
	tcase_add_loop_test(tc, another_versions_state_must_have_what_all_have,
	    0, (int)(sizeof(bad_other) / sizeof(bad_other[0])));
	tcase_add_test(tc, what_is_written_is_read);
	tcase_add_test(tc, a_state_that_is_cut_off_is_refused);
	tcase_add_loop_test(tc, what_cannot_be_is_named, 0,
	    (int)(sizeof(bad) / sizeof(bad[0])));
	return suite_run(suite);
}
