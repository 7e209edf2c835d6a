/*
 * known.c - registrations and progress bars.
 */
#include "relay/known.h"

#include <errno.h>
#include <string.h>

#include "relay/message.h"

int
known_init(struct known *k)
{
	k->registrations = json_array();
	k->tokens = json_array();
	return k->registrations != NULL && k->tokens != NULL ? 0 : -ENOMEM;
}

void
known_fini(struct known *k)
{
	json_decref(k->registrations);
	json_decref(k->tokens);
	memset(k, 0, sizeof(*k));
}

/* Both may be missing. */
static bool
is_same(const json_t *a, const json_t *b)
{
	return a == b || (a != NULL && b != NULL && json_equal(a, b));
}

static bool
is_of(const json_t *entry, uint64_t number)
{
	return json_integer_value(json_object_get(entry, "number")) ==
	       (json_int_t)number;
}

static json_t *
registration_find(
    const struct known *k, const json_t *registration, uint64_t number)
{
	const json_t *method = json_object_get(registration, "method");
	const json_t *options =
	    json_object_get(registration, "registerOptions");
	json_t *entry;
	size_t i;

	json_array_foreach(k->registrations, i,
	    entry) if (!is_of(entry, number) &&
		       is_same(json_object_get(entry, "method"), method) &&
		       is_same(json_object_get(entry, "options"),
			   options)) return entry;
	return NULL;
}

static int
registration_keep(struct known *k, const json_t *registration, uint64_t number)
{
	json_t *id = json_object_get(registration, "id");

	return json_array_append_new(k->registrations,
	    json_pack("{s:O*, s:O*, s:O*, s:O*, s:I}", "method",
		json_object_get(registration, "method"), "options",
		json_object_get(registration, "registerOptions"), "editor", id,
		"worker", id, "number", (json_int_t)number));
}

json_t *
known_register(struct known *k, const json_t *params, uint64_t number)
{
	const json_t *all = json_object_get(params, "registrations");
	json_t *fresh = json_array();
	json_t *registration, *entry;
	size_t i;

	if (!json_is_array(all)) {
		json_decref(fresh);
		return NULL;
	}
	json_array_foreach(all, i, registration)
	{
		entry = registration_find(k, registration, number);
		if (entry == NULL) {
			(void)registration_keep(k, registration, number);
			(void)json_array_append(fresh, registration);
			continue;
		}
		(void)json_object_set_new(
		    entry, "number", json_integer((json_int_t)number));
		if (json_object_get(registration, "id") != NULL)
			(void)json_object_set(entry, "worker",
			    json_object_get(registration, "id"));
	}
	return fresh;
}

/* The editor's id of what this worker calls `id`; the entry is forgotten. */
static json_t *
registration_end(struct known *k, const json_t *id)
{
	json_t *entry, *editor = NULL;
	size_t i;

	json_array_foreach(k->registrations, i, entry)
	{
		if (!is_same(json_object_get(entry, "worker"), id))
			continue;
		editor = json_incref(json_object_get(entry, "editor"));
		(void)json_array_remove(k->registrations, i);
		return editor;
	}
	return NULL;
}

json_t *
known_unregister(struct known *k, const json_t *params)
{
	json_t *copy = json_deep_copy(params);
	/* The protocol's own spelling. */
	const json_t *all = json_object_get(copy, "unregisterations");
	json_t *item, *editor;
	size_t i;

	if (!json_is_array(all))
		return copy;
	json_array_foreach(all, i, item)
	{
		editor = registration_end(k, json_object_get(item, "id"));
		if (editor != NULL)
			(void)json_object_set_new(item, "id", editor);
	}
	return copy;
}

static json_t *
token_find(const struct known *k, const json_t *token)
{
	json_t *entry;
	size_t i;

	json_array_foreach(
	    k->tokens, i, entry) if (is_same(json_object_get(entry, "token"),
					 token)) return entry;
	return NULL;
}

bool
known_token(struct known *k, const json_t *token, uint64_t number)
{
	json_t *entry;

	if (!json_is_string(token) && !json_is_integer(token))
		return false;
	entry = token_find(k, token);
	if (entry == NULL) {
		(void)json_array_append_new(k->tokens,
		    json_pack("{s:O, s:I, s:b, s:b}", "token", token, "number",
			(json_int_t)number, "live", 1, "mute", 0));
		return false;
	}
	if (is_of(entry, number)) {
		(void)json_object_set_new(entry, "live", json_true());
		(void)json_object_set_new(entry, "mute", json_false());
		return false;
	}
	(void)json_object_set_new(
	    entry, "number", json_integer((json_int_t)number));
	(void)json_object_set_new(entry, "mute", json_true());
	return true;
}

bool
known_progress(struct known *k, const json_t *params)
{
	json_t *entry = token_find(k, json_object_get(params, "token"));
	const char *kind = json_string_value(
	    json_object_get(json_object_get(params, "value"), "kind"));

	if (entry == NULL)
		return true;
	if (kind != NULL && strcmp(kind, "end") == 0)
		(void)json_object_set_new(entry, "live", json_false());
	return !json_is_true(json_object_get(entry, "mute"));
}

int
known_end_progress(struct known *k, struct buf *to_editor)
{
	json_t *entry;
	size_t i;
	int rc = 0;

	json_array_foreach(k->tokens, i, entry)
	{
		if (rc < 0 || !json_is_true(json_object_get(entry, "live")))
			continue;
		(void)json_object_set_new(entry, "live", json_false());
		rc = message_put_new(to_editor,
		    json_pack("{s:s, s:s, s:{s:O, s:{s:s}}}", "jsonrpc", "2.0",
			"method", "$/progress", "params", "token",
			json_object_get(entry, "token"), "value", "kind",
			"end"));
	}
	return rc;
}
