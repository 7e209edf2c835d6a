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
	{ "state=0", "it says \"state=0\", this program reads \"state=1\"" },
	{ "hello", "it says \"hello\", this program reads \"state=1\"" },
	{ "state=1", "it has no pool" },
	{ "state=1|protocol=x", "\"protocol=x\": Protocol error" },
	{ "state=1|protocol=1 2", "\"protocol=1 2\": Protocol error" },
	{ "state=1|colour=1", "\"colour=1\": unknown to this program" },
	{ "state=1|pool=a|listener=3 0", "\"listener=3 0\": Protocol error" },
	{ "state=1|pool=a|process=1 2 3", "\"process=1 2 3\": Protocol error" },
	{ "state=1|pool=a_name_of_more_than_thirty_two_bytes",
	    "\"pool=a_name_of_more_than_thirty_two_bytes\": Argument list too "
	    "long" },
};

START_TEST(what_cannot_be_is_named)
{
	struct fail why = FAIL_INIT;
	char text[128], *p;
	size_t len = strlen(bad[_i].text) + 1;
	int rc;

	memcpy(text, bad[_i].text, len);
	for (p = text; p < text + len; p++)
		if (*p == '|')
			*p = '\0';
	handover_free(read_back(text, len, &why, &rc));
	ck_assert_int_lt(rc, 0);
	ck_assert_str_eq(why.text, bad[_i].why);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("handover");
	TCase *tc = tcase_create("handover");

	suite_add_tcase(suite, tc);
	tcase_add_test(tc, what_is_written_is_read);
	tcase_add_test(tc, a_state_that_is_cut_off_is_refused);
	tcase_add_loop_test(tc, what_cannot_be_is_named, 0,
	    (int)(sizeof(bad) / sizeof(bad[0])));
	return suite_run(suite);
}
