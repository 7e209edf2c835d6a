/*
 * inquire.c - answers to the master's ASK, between two units of work.
 */
#include "worker/inquire.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "ipc/chan.h"
#include "ruby/gclog.h"
#include "ruby/pages.h"
#include "ruby/statistics.h"
#include "ruby/try.h"
#include "worker/self.h"

#define PART_MAX 32768u

static int
part_send(struct self *self, const struct rfk_ask *ask, const char *text,
    size_t len, bool more, int rc)
{
	struct rfk_msg msg = {
		.type = RFK_MSG_ANSWER, .tail = text, .tail_len = (uint32_t)len
	};

	msg.u.answer = *ask;
	msg.u.answer.more = more;
	msg.u.answer.rc = rc;
	return chan_put(self->master, &msg, NULL, 0);
}

/* In parts that end with a line. */
static int
lines_send(struct self *self, const struct rfk_ask *ask, const struct buf *out)
{
	const char *p = out->data;
	size_t left = out->len;
	int rc = 0;

	while (rc == 0 && left > PART_MAX) {
		const char *end = memrchr(p, '\n', PART_MAX);
		size_t len = end != NULL ? (size_t)(end - p) + 1 : PART_MAX;

		rc = part_send(self, ask, p, len, true, 0);
		p += len;
		left -= len;
	}
	return rc == 0 ? part_send(self, ask, p, left, false, 0) : rc;
}

static int
answer_make(struct self *self, const struct rfk_ask *ask, const bool *in_unit,
    struct buf *out, struct ruby_error *why)
{
	uint64_t requests = 0;

	switch ((enum rfk_ask_what)ask->what) {
	case RFK_ASK_STATISTICS:
		if (self->my_row != NULL)
			requests = atomic_load_explicit(
			    &self->my_row->requests, memory_order_relaxed);
		return statistics_put(out, requests, why);
	case RFK_ASK_PAGES:
		return pages_put(out, why);
	case RFK_ASK_GCLOG_ON:
		return in_unit != NULL ? gclog_on(in_unit, why) : -ENOTSUP;
	case RFK_ASK_GCLOG_OFF:
		return gclog_off(why);
	case RFK_ASK_GCLOG_READ:
		return gclog_put(out);
	}
	return -EPROTO;
}

void
inquire(struct self *self, const struct rfk_ask *ask, const bool *in_unit)
{
	struct buf out = BUF_INIT;
	struct ruby_error why;
	char text[1200];
	int rc = answer_make(self, ask, in_unit, &out, &why);

	if (rc == 0) {
		rc = lines_send(self, ask, &out);
	} else {
		if (rc == -ECANCELED)
			(void)snprintf(text, sizeof(text), "%s (%s)",
			    why.message, why.class_name);
		else
			(void)snprintf(text, sizeof(text), "%s",
			    rc == -ENOENT ? "its log of collections is off"
					  : strerror(-rc));
		rc = part_send(self, ask, text, strlen(text), false, rc);
	}
	if (rc < 0)
		log_warn("an answer to the master was lost: %s", strerror(-rc));
	buf_fini(&out);
}
