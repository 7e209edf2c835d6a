/*
 * session.c - workers come and go.
 */
#include "relay/session.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int
session_init(struct session *s, void (*note)(const char *))
{
	memset(s, 0, sizeof(*s));
	s->note = note;
	s->number = 1;
	return known_init(&s->known);
}

void
session_fini(struct session *s)
{
	buf_fini(&s->to_editor);
	buf_fini(&s->to_worker);
	json_decref(s->initialize);
	json_decref(s->result);
	json_decref(s->initialized);
	json_decref(s->configured);
	documents_fini(&s->documents);
	asked_fini(&s->asked);
	known_fini(&s->known);
	memset(s, 0, sizeof(*s));
}

void
session_note(struct session *s, const char *fmt, ...)
{
	char text[1200];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	s->note(text);
}

bool
session_has_begun(const struct session *s)
{
	return s->initialize != NULL;
}

bool
session_is_idle(const struct session *s)
{
	return !s->replaying && !s->settling && !asked_is_waited_for(&s->asked);
}

int
session_lose_worker(struct session *s)
{
	int rc = known_end_progress(&s->known, &s->to_editor);

	/* Until another one has answered initialize, what is said waits. */
	s->replaying = session_has_begun(s);
	s->settling = false;
	buf_reset(&s->to_worker);
	return rc < 0 ? rc : asked_lost(&s->asked, &s->to_editor);
}

/* With an id of ours: the answer is not the editor's, it has one already. */
static int
initialize_again(struct session *s)
{
	json_t *copy = json_copy(s->initialize);

	if (copy != NULL)
		(void)json_object_set_new(copy, "id",
		    json_sprintf(
			"reforkctl:%llu", (unsigned long long)s->number));
	return message_put_new(&s->to_worker, copy);
}

int
session_take_worker(struct session *s)
{
	s->number++;
	buf_reset(&s->to_worker); /* answers to the one that is gone */
	s->settling = false;
	s->replaying = session_has_begun(s);
	if (!s->replaying)
		return asked_send(&s->asked, NULL, &s->to_worker);
	if (s->result == NULL)
		return asked_send(&s->asked, "initialize", &s->to_worker);
	return initialize_again(s);
}

/*
 * Servers answer a method that nobody knows with an error; those that keep a
 * queue do so behind the documents. A question that overtakes its document
 * would be answered for what lies on the disk.
 */
static int
settle_ask(struct session *s)
{
	s->settling = true;
	return message_put_new(
	    &s->to_worker, json_pack("{s:s, s:o, s:s}", "jsonrpc", "2.0", "id",
			       json_sprintf("reforkctl:%llu:settled",
				   (unsigned long long)s->number),
			       "method", "$/reforkctl/settled"));
}

int
session_settle(struct session *s)
{
	s->settling = false;
	return asked_send(&s->asked, NULL, &s->to_worker);
}

int
session_resume(struct session *s)
{
	int rc = 0;

	s->replaying = false;
	if (s->initialized != NULL)
		rc = message_put(&s->to_worker, s->initialized);
	if (rc == 0 && s->configured != NULL)
		rc = message_put(&s->to_worker, s->configured);
	if (rc == 0)
		rc = documents_replay(&s->documents, &s->to_worker);
	if (rc == 0)
		rc = asked_send(&s->asked, "", &s->to_worker);
	if (rc < 0)
		return rc;
	return s->documents.n > 0 ? settle_ask(s) : session_settle(s);
}

int
session_give_up(struct session *s, const char *text)
{
	int rc = session_lose_worker(s);

	return rc < 0 ? rc : asked_refuse(&s->asked, text, &s->to_editor);
}
