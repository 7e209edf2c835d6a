/*
 * editor.c - what the editor says. It is sent on as it came; while a worker is
 * being told what was before, documents change here only and all else waits.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "relay/frame.h"
#include "relay/session.h"

static void
keep(json_t **place, json_t *json)
{
	json_decref(*place);
	*place = json_incref(json);
}

static int
pass_on(struct session *s, const struct message *m)
{
	return frame_write(&s->to_worker, m->body, m->len);
}

/* Questions wait. */
static bool
is_deaf(const struct session *s)
{
	return s->replaying || s->settling;
}

static int
request_hear(struct session *s, const struct message *m)
{
	int rc;

	if (message_is(m, "initialize")) {
		if (session_has_begun(s))
			return message_put_error(&s->to_editor, m->id,
			    MESSAGE_INVALID, "initialize comes once");
		keep(&s->initialize, m->json);
	}
	if (message_is(m, "shutdown"))
		s->leaving = true;
	rc = asked_add(&s->asked, m, !is_deaf(s));
	return rc < 0 || is_deaf(s) ? rc : pass_on(s, m);
}

/* An answer to worker N's question "gN:ID", for worker N only. */
static int
response_hear(struct session *s, const struct message *m)
{
	const char *id = json_string_value(m->id);
	uint64_t number = 0;
	int at = 0;
	json_t *own;

	if (id == NULL || sscanf(id, "g%" SCNu64 ":%n", &number, &at) != 1 ||
	    at == 0 || number > s->number) {
		session_note(
		    s, "the editor answers what nobody has asked: dropped");
		return 0;
	}
	if (number < s->number)
		return 0;
	own = json_loads(id + at, JSON_DECODE_ANY, NULL);
	if (!json_is_integer(own) && !json_is_string(own)) {
		json_decref(own);
		session_note(
		    s, "the editor answers what nobody has asked: dropped");
		return 0;
	}
	(void)json_object_set_new(m->json, "id", own);
	return message_put(&s->to_worker, m->json);
}

/* What is asked of a worker that has gone is answered here. */
static int
cancel_hear(struct session *s, const struct message *m)
{
	json_t *id = json_object_get(m->params, "id");
	char method[64];

	if (!is_deaf(s))
		return pass_on(s, m);
	if (id == NULL || !asked_take(&s->asked, id, method, sizeof(method)))
		return 0;
	return message_put_error(
	    &s->to_editor, id, MESSAGE_REQUEST_CANCELLED, "cancelled");
}

static int
document_hear(struct session *s, const struct message *m, bool *is_one)
{
	struct fail why = FAIL_INIT;
	int rc = 0;

	*is_one = true;
	if (message_is(m, "textDocument/didOpen"))
		rc = documents_open(&s->documents, m->params, &why);
	else if (message_is(m, "textDocument/didChange"))
		rc = documents_change(
		    &s->documents, m->params, s->encoding, &why);
	else if (message_is(m, "textDocument/didClose"))
		rc = documents_close(&s->documents, m->params, &why);
	else
		*is_one = false;
	if (rc == -EINVAL)
		session_note(s, "from the editor: %s", why.text);
	return rc == -EINVAL ? 0 : rc;
}

/* The folders of initialize are those of today. */
static void
folders_hear(struct session *s, const struct message *m)
{
	json_t *params = json_object_get(s->initialize, "params");
	json_t *folders = json_object_get(params, "workspaceFolders");
	json_t *added = message_inner(m, "event", "added");
	json_t *removed, *folder;
	size_t i, j;

	if (!json_is_array(folders))
		return;
	json_array_foreach(message_inner(m, "event", "removed"), i, removed)
	    json_array_foreach(folders, j,
		folder) if (json_equal(json_object_get(folder, "uri"),
				json_object_get(removed, "uri")))
	{
		(void)json_array_remove(folders, j);
		break;
	}
	if (json_is_array(added))
		(void)json_array_extend(folders, added);
}

static int
notification_hear(struct session *s, const struct message *m)
{
	bool is_kept;
	int rc = document_hear(s, m, &is_kept);

	if (rc < 0)
		return rc;
	if (message_is(m, "$/cancelRequest"))
		return cancel_hear(s, m);
	if (message_is(m, "initialized")) {
		keep(&s->initialized, m->json);
		is_kept = true;
	} else if (message_is(m, "workspace/didChangeConfiguration")) {
		keep(&s->configured, m->json);
		is_kept = true;
	} else if (message_is(m, "workspace/didChangeWorkspaceFolders")) {
		folders_hear(s, m);
	} else if (message_is(m, "exit")) {
		s->leaving = true;
		s->exited = true;
		return pass_on(s, m);
	}
	if (!s->replaying)
		return pass_on(s, m);
	return is_kept ? 0 : asked_add(&s->asked, m, false);
}

int
session_hear_editor(struct session *s, const char *body, size_t len)
{
	struct fail why = FAIL_INIT;
	struct message m;
	int rc = message_parse(&m, body, len, &why);

	if (rc < 0) {
		session_note(
		    s, "a message of the editor is dropped: %s", why.text);
		rc = message_put_error(&s->to_editor, json_null(),
		    m.json == NULL ? MESSAGE_PARSE_ERROR : MESSAGE_INVALID,
		    why.text);
	} else if (m.kind == MESSAGE_REQUEST) {
		rc = request_hear(s, &m);
	} else if (m.kind == MESSAGE_NOTIFICATION) {
		rc = notification_hear(s, &m);
	} else {
		rc = response_hear(s, &m);
	}
	message_fini(&m);
	return rc;
}
