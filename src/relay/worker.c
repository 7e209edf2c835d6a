/*
 * worker.c - what the worker says. Answers go to the editor as they came;
 * questions with an id that says which worker asks.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "relay/frame.h"
#include "relay/session.h"

static int
pass_on(struct session *s, const struct message *m)
{
	return frame_write(&s->to_editor, m->body, m->len);
}

/* "g4:12", or g4:"abc" */
static json_t *
outer_id(const struct session *s, const json_t *id)
{
	char *text = json_dumps(id, JSON_ENCODE_ANY | JSON_COMPACT);
	json_t *outer = NULL;

	if (text != NULL)
		outer = json_sprintf(
		    "g%llu:%s", (unsigned long long)s->number, text);
	free(text);
	return outer;
}

/* The result of initialize */

static enum text_encoding
encoding_of(const json_t *result)
{
	const char *name = json_string_value(json_object_get(
	    json_object_get(result, "capabilities"), "positionEncoding"));

	if (name != NULL && strcmp(name, "utf-8") == 0)
		return TEXT_UTF8;
	if (name != NULL && strcmp(name, "utf-32") == 0)
		return TEXT_UTF32;
	return TEXT_UTF16;
}

/* The editor goes on with what the first worker could do. */
static void
capabilities_compare(struct session *s, const json_t *result)
{
	json_t *old = json_object_get(s->result, "capabilities");
	json_t *now = json_object_get(result, "capabilities");
	const char *name;
	json_t *value;

	json_object_foreach(
	    old, name, value) if (json_object_get(now, name) == NULL)
	    session_note(s, "the new worker has no %s any more", name);
	else if (!json_equal(json_object_get(now, name), value))
	    session_note(s, "the new worker has another %s", name);
	json_object_foreach(now, name,
	    value) if (json_object_get(old, name) == NULL) session_note(s,
	    "the new worker has %s, which the editor does not "
	    "know",
	    name);
}

/* The answer to our own initialize. */
static int
replay_hear(struct session *s, const struct message *m, struct fail *why)
{
	const json_t *result = json_object_get(m->json, "result");

	if (!s->replaying)
		return 0;
	if (result == NULL)
		return fail_set(
		    why, EPROTO, "it refuses the editor's initialize");
	if (encoding_of(result) != s->encoding)
		return fail_set(
		    why, EPROTO, "it counts characters in another encoding");
	capabilities_compare(s, result);
	return session_resume(s);
}

/* The editor's own: 0, and the worker may be told the rest. */
static int
initialize_hear(struct session *s, const struct message *m)
{
	json_t *result = json_object_get(m->json, "result");

	if (result != NULL) {
		json_decref(s->result);
		s->result = json_incref(result);
		s->encoding = encoding_of(result);
	} else {
		/* Refused: it has not begun. */
		json_decref(s->initialize);
		s->initialize = NULL;
	}
	return s->replaying ? session_resume(s) : 0;
}

static int
response_hear(struct session *s, const struct message *m, struct fail *why)
{
	const char *id = json_string_value(m->id);
	char method[64], own[48], settled[64];
	int rc = 0;

	(void)snprintf(
	    own, sizeof(own), "reforkctl:%llu", (unsigned long long)s->number);
	if (id != NULL && strcmp(id, own) == 0)
		return replay_hear(s, m, why);
	(void)snprintf(settled, sizeof(settled), "%s:settled", own);
	if (id != NULL && strcmp(id, settled) == 0)
		return s->settling ? session_settle(s) : 0;
	if (json_is_null(m->id))
		return pass_on(s, m);
	if (!asked_take(&s->asked, m->id, method, sizeof(method))) {
		session_note(
		    s, "the worker answers what nobody has asked: dropped");
		return 0;
	}
	if (strcmp(method, "initialize") == 0)
		rc = initialize_hear(s, m);
	return rc < 0 ? rc : pass_on(s, m);
}

/* Questions */

static int
ask_editor(struct session *s, const struct message *m)
{
	(void)json_object_set_new(m->json, "id", outer_id(s, m->id));
	return message_put(&s->to_editor, m->json);
}

static int
register_hear(struct session *s, const struct message *m)
{
	json_t *fresh = known_register(&s->known, m->params, s->number);

	if (fresh == NULL)
		return ask_editor(s, m);
	if (json_array_size(fresh) == 0) {
		json_decref(fresh);
		return message_put_null(&s->to_worker, m->id);
	}
	(void)json_object_set_new(m->params, "registrations", fresh);
	return ask_editor(s, m);
}

static int
request_hear(struct session *s, const struct message *m)
{
	if (message_is(m, "client/registerCapability"))
		return register_hear(s, m);
	if (message_is(m, "client/unregisterCapability"))
		(void)json_object_set_new(
		    m->json, "params", known_unregister(&s->known, m->params));
	if (message_is(m, "window/workDoneProgress/create") &&
	    known_token(
		&s->known, json_object_get(m->params, "token"), s->number))
		return message_put_null(&s->to_worker, m->id);
	return ask_editor(s, m);
}

static int
notification_hear(struct session *s, const struct message *m)
{
	if (message_is(m, "$/progress") &&
	    !known_progress(&s->known, m->params))
		return 0;
	if (!message_is(m, "$/cancelRequest"))
		return pass_on(s, m);
	(void)json_object_set_new(
	    m->params, "id", outer_id(s, json_object_get(m->params, "id")));
	return message_put(&s->to_editor, m->json);
}

int
session_hear_worker(
    struct session *s, const char *body, size_t len, struct fail *why)
{
	struct message m;
	int rc = message_parse(&m, body, len, why);

	if (rc == 0 && m.kind == MESSAGE_REQUEST)
		rc = request_hear(s, &m);
	else if (rc == 0 && m.kind == MESSAGE_NOTIFICATION)
		rc = notification_hear(s, &m);
	else if (rc == 0)
		rc = response_hear(s, &m, why);
	message_fini(&m);
	return rc;
}
