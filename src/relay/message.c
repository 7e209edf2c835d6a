/*
 * message.c - one JSON-RPC message.
 */
#include "relay/message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "relay/frame.h"

static bool
is_id(const json_t *id)
{
	return json_is_integer(id) || json_is_string(id);
}

static int
kind_find(struct message *m, struct fail *why)
{
	const json_t *method = json_object_get(m->json, "method");

	m->method = "";
	m->id = json_object_get(m->json, "id");
	m->params = json_object_get(m->json, "params");
	if (m->id != NULL && !is_id(m->id) && !json_is_null(m->id))
		return fail_set(
		    why, EPROTO, "its id is neither a number nor a string");
	if (json_is_string(method)) {
		m->method = json_string_value(method);
		m->kind = is_id(m->id) ? MESSAGE_REQUEST : MESSAGE_NOTIFICATION;
		return 0;
	}
	m->kind = MESSAGE_RESPONSE;
	if (method == NULL && m->id != NULL &&
	    (json_object_get(m->json, "result") != NULL ||
		json_object_get(m->json, "error") != NULL))
		return 0;
	return fail_set(
	    why, EPROTO, "it is no request, no notification and no response");
}

int
message_parse(struct message *m, const char *body, size_t len, struct fail *why)
{
	json_error_t error;

	memset(m, 0, sizeof(*m));
	m->body = body;
	m->len = len;
	m->method = "";
	m->json = json_loadb(body, len, JSON_ALLOW_NUL, &error);
	if (m->json == NULL)
		return fail_set(why, EPROTO, "it is not JSON: %s (byte %d)",
		    error.text, error.position);
	if (!json_is_object(m->json))
		return fail_set(why, EPROTO, "it is not a JSON object");
	return kind_find(m, why);
}

void
message_fini(struct message *m)
{
	json_decref(m->json);
	m->json = NULL;
}

bool
message_is(const struct message *m, const char *method)
{
	return strcmp(m->method, method) == 0;
}

json_t *
message_inner(const struct message *m, const char *outer, const char *inner)
{
	return json_object_get(json_object_get(m->params, outer), inner);
}

int
message_put(struct buf *out, const json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
	int rc;

	if (text == NULL)
		return -ENOMEM;
	rc = frame_write(out, text, strlen(text));
	free(text);
	return rc;
}

int
message_put_new(struct buf *out, json_t *take_json)
{
	int rc = take_json != NULL ? message_put(out, take_json) : -ENOMEM;

	json_decref(take_json);
	return rc;
}

/* A library that quotes what was broken may cut a character in two. */
static json_t *
words(const char *text)
{
	json_t *words = json_string(text);

	return words != NULL ? words : json_string("it is no UTF-8");
}

int
message_put_error(
    struct buf *out, json_t *id, enum message_error code, const char *text)
{
	return message_put_new(
	    out, json_pack("{s:s, s:O, s:{s:i, s:o}}", "jsonrpc", "2.0", "id",
		     id, "error", "code", (int)code, "message", words(text)));
}

int
message_put_null(struct buf *out, json_t *id)
{
	return message_put_new(out,
	    json_pack("{s:s, s:O, s:n}", "jsonrpc", "2.0", "id", id, "result"));
}
