/*
 * documents.c - open documents.
 */
#include "relay/documents.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "relay/message.h"

static void
document_fini(struct document *d)
{
	free(d->uri);
	free(d->language);
	buf_fini(&d->text);
}

void
documents_fini(struct documents *all)
{
	size_t i;

	for (i = 0; i < all->n; i++)
		document_fini(&all->at[i]);
	free(all->at);
	memset(all, 0, sizeof(*all));
}

static struct document *
find(const struct documents *all, const char *uri)
{
	size_t i;

	for (i = 0; i < all->n; i++)
		if (strcmp(all->at[i].uri, uri) == 0)
			return &all->at[i];
	return NULL;
}

static void
drop(struct documents *all, struct document *d)
{
	document_fini(d);
	all->n--;
	memmove(d, d + 1, (size_t)(all->at + all->n - d) * sizeof(*d));
}

static struct document *
add(struct documents *all)
{
	size_t cap = all->cap > 0 ? 2 * all->cap : 8;
	struct document *at;

	if (all->n == all->cap) {
		at = reallocarray(all->at, cap, sizeof(*at));
		if (at == NULL)
			return NULL;
		all->at = at;
		all->cap = cap;
	}
	memset(&all->at[all->n], 0, sizeof(*all->at));
	return &all->at[all->n++];
}

static int
text_set(struct document *d, const json_t *text)
{
	buf_reset(&d->text);
	return buf_put(
	    &d->text, json_string_value(text), json_string_length(text));
}

int
documents_open(struct documents *all, const json_t *params, struct fail *why)
{
	const json_t *item = json_object_get(params, "textDocument");
	const char *uri = json_string_value(json_object_get(item, "uri"));
	const char *language =
	    json_string_value(json_object_get(item, "languageId"));
	const json_t *text = json_object_get(item, "text");
	struct document *d;

	if (uri == NULL || !json_is_string(text))
		return fail_set(
		    why, EINVAL, "textDocument/didOpen without uri or text");
	d = find(all, uri);
	if (d != NULL)
		drop(all, d);
	d = add(all);
	if (d == NULL)
		return -ENOMEM;
	d->uri = strdup(uri);
	d->language = strdup(language != NULL ? language : "");
	d->version = json_integer_value(json_object_get(item, "version"));
	if (d->uri == NULL || d->language == NULL || text_set(d, text) < 0)
		return -ENOMEM;
	return 0;
}

/* Changes */

static int
place_read(const json_t *position, struct text_place *place)
{
	const json_t *line = json_object_get(position, "line");
	const json_t *unit = json_object_get(position, "character");

	if (!json_is_integer(line) || json_integer_value(line) < 0 ||
	    !json_is_integer(unit) || json_integer_value(unit) < 0)
		return -EINVAL;
	place->line = (size_t)json_integer_value(line);
	place->unit = (size_t)json_integer_value(unit);
	return 0;
}

static int
range_apply(struct document *d, const json_t *range, const json_t *text,
    enum text_encoding encoding, struct fail *why)
{
	struct text_place from, to;
	size_t begin, end, swap;
	int rc = 0;

	if (place_read(json_object_get(range, "start"), &from) < 0 ||
	    place_read(json_object_get(range, "end"), &to) < 0)
		return fail_set(why, EINVAL,
		    "%s: a change whose range is no two positions", d->uri);
	/* Servers that are lenient take the nearest place; so is done here. */
	if (!text_find(&d->text, from, encoding, &begin) ||
	    !text_find(&d->text, to, encoding, &end))
		rc = fail_set(why, EINVAL,
		    "%s: a change from line %zu to %zu, behind the last line",
		    d->uri, from.line, to.line);
	(void)text_find(&d->text, to, encoding, &end);
	if (begin > end) {
		rc = fail_set(why, EINVAL,
		    "%s: a change at line %zu that ends before it begins",
		    d->uri, from.line);
		swap = begin;
		begin = end;
		end = swap;
	}
	if (text_replace(&d->text, begin, end, json_string_value(text),
		json_string_length(text)) < 0)
		return -ENOMEM;
	return rc;
}

static int
change_apply(struct document *d, const json_t *change,
    enum text_encoding encoding, struct fail *why)
{
	const json_t *range = json_object_get(change, "range");
	const json_t *text = json_object_get(change, "text");

	if (!json_is_string(text))
		return fail_set(
		    why, EINVAL, "%s: a change without text", d->uri);
	if (range == NULL || json_is_null(range))
		return text_set(d, text);
	return range_apply(d, range, text, encoding, why);
}

int
documents_change(struct documents *all, const json_t *params,
    enum text_encoding encoding, struct fail *why)
{
	const json_t *item = json_object_get(params, "textDocument");
	const json_t *changes = json_object_get(params, "contentChanges");
	const char *uri = json_string_value(json_object_get(item, "uri"));
	const json_t *version = json_object_get(item, "version");
	struct document *d = uri != NULL ? find(all, uri) : NULL;
	size_t i;
	int rc = 0;

	if (d == NULL)
		return fail_set(why, EINVAL,
		    "a change of %s, which is not open",
		    uri != NULL ? uri : "a document without uri");
	if (!json_is_array(changes))
		return fail_set(
		    why, EINVAL, "%s: a change without contentChanges", uri);
	for (i = 0; i < json_array_size(changes) && rc != -ENOMEM; i++) {
		int failed =
		    change_apply(d, json_array_get(changes, i), encoding, why);

		if (failed < 0)
			rc = failed;
	}
	if (json_is_integer(version))
		d->version = json_integer_value(version);
	return rc;
}

int
documents_close(struct documents *all, const json_t *params, struct fail *why)
{
	const json_t *item = json_object_get(params, "textDocument");
	const char *uri = json_string_value(json_object_get(item, "uri"));
	struct document *d = uri != NULL ? find(all, uri) : NULL;

	if (d == NULL)
		return fail_set(why, EINVAL,
		    "textDocument/didClose of %s, which is not open",
		    uri != NULL ? uri : "a document without uri");
	drop(all, d);
	return 0;
}

int
documents_replay(const struct documents *all, struct buf *out)
{
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && i < all->n; i++) {
		const struct document *d = &all->at[i];

		rc = message_put_new(out,
		    json_pack("{s:s, s:s, s:{s:{s:s, s:s, s:I, s:s%}}}",
			"jsonrpc", "2.0", "method", "textDocument/didOpen",
			"params", "textDocument", "uri", d->uri, "languageId",
			d->language, "version", d->version, "text",
			d->text.data != NULL ? d->text.data : "", d->text.len));
	}
	return rc;
}
