/*
 * asked.c - requests in flight.
 */
#include "relay/asked.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "relay/frame.h"

/*
 * These only read. semanticTokens/full/delta is none: it counts on a result
 * that the new worker does not know.
 */
static const char *const harmless[] = { "initialize", "textDocument/codeAction",
	"textDocument/codeLens", "textDocument/colorPresentation",
	"textDocument/completion", "textDocument/declaration",
	"textDocument/definition", "textDocument/diagnostic",
	"textDocument/documentColor", "textDocument/documentHighlight",
	"textDocument/documentLink", "textDocument/documentSymbol",
	"textDocument/foldingRange", "textDocument/formatting",
	"textDocument/hover", "textDocument/implementation",
	"textDocument/inlayHint", "textDocument/inlineValue",
	"textDocument/linkedEditingRange", "textDocument/moniker",
	"textDocument/onTypeFormatting", "textDocument/prepareCallHierarchy",
	"textDocument/prepareRename", "textDocument/prepareTypeHierarchy",
	"textDocument/rangeFormatting", "textDocument/references",
	"textDocument/rename", "textDocument/selectionRange",
	"textDocument/semanticTokens/full", "textDocument/semanticTokens/range",
	"textDocument/signatureHelp", "textDocument/typeDefinition",
	"callHierarchy/incomingCalls", "callHierarchy/outgoingCalls",
	"codeAction/resolve", "codeLens/resolve", "completionItem/resolve",
	"documentLink/resolve", "inlayHint/resolve", "typeHierarchy/subtypes",
	"typeHierarchy/supertypes", "workspace/diagnostic", "workspace/symbol",
	"workspaceSymbol/resolve" };

bool
asked_is_harmless(const char *method)
{
	size_t i;

	for (i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
		if (strcmp(harmless[i], method) == 0)
			return true;
	return false;
}

/* What a server would have said: it is as shut down as can be. */
static bool
is_shutdown(const struct asked_item *item)
{
	return item->id != NULL && strcmp(item->method, "shutdown") == 0;
}

static void
item_fini(struct asked_item *item)
{
	json_decref(item->id);
	free(item->method);
	buf_fini(&item->body);
}

void
asked_fini(struct asked *a)
{
	size_t i;

	for (i = 0; i < a->n; i++)
		item_fini(&a->at[i]);
	free(a->at);
	memset(a, 0, sizeof(*a));
}

static void
drop(struct asked *a, size_t i)
{
	item_fini(&a->at[i]);
	a->n--;
	memmove(&a->at[i], &a->at[i + 1], (a->n - i) * sizeof(*a->at));
}

int
asked_add(struct asked *a, const struct message *m, bool sent)
{
	size_t cap = a->cap > 0 ? 2 * a->cap : 16;
	struct asked_item *at;

	if (a->n == a->cap) {
		at = reallocarray(a->at, cap, sizeof(*at));
		if (at == NULL)
			return -ENOMEM;
		a->at = at;
		a->cap = cap;
	}
	at = &a->at[a->n++];
	memset(at, 0, sizeof(*at));
	at->sent = sent;
	at->method = strdup(m->method);
	if (m->kind == MESSAGE_REQUEST)
		at->id = json_incref(m->id);
	return at->method != NULL ? buf_put(&at->body, m->body, m->len)
				  : -ENOMEM;
}

bool
asked_take(struct asked *a, const json_t *id, char *method, size_t cap)
{
	size_t i;

	for (i = 0; i < a->n; i++) {
		if (a->at[i].id == NULL || !json_equal(a->at[i].id, id))
			continue;
		(void)snprintf(method, cap, "%s", a->at[i].method);
		drop(a, i);
		return true;
	}
	return false;
}

bool
asked_is_waited_for(const struct asked *a)
{
	size_t i;

	for (i = 0; i < a->n; i++)
		if (a->at[i].sent)
			return true;
	return false;
}

int
asked_lost(struct asked *a, struct buf *to_editor)
{
	size_t i = 0;
	int rc = 0;

	while (rc == 0 && i < a->n) {
		struct asked_item *item = &a->at[i];

		if (!item->sent || asked_is_harmless(item->method)) {
			item->sent = false;
			i++;
			continue;
		}
		if (is_shutdown(item))
			rc = message_put_null(to_editor, item->id);
		else
			rc = message_put_error(to_editor, item->id,
			    MESSAGE_SERVER_CANCELLED,
			    "the language server's worker was replaced; ask "
			    "again");
		drop(a, i);
	}
	return rc;
}

static bool
is_wanted(const struct asked_item *item, const char *method)
{
	if (method == NULL)
		return true;
	if (*method == '\0')
		return item->id == NULL;
	return strcmp(item->method, method) == 0;
}

int
asked_send(struct asked *a, const char *method, struct buf *to_worker)
{
	size_t i = 0;
	int rc = 0;

	while (rc == 0 && i < a->n) {
		struct asked_item *item = &a->at[i];

		if (item->sent || !is_wanted(item, method)) {
			i++;
			continue;
		}
		rc = frame_write(to_worker, item->body.data, item->body.len);
		item->sent = true;
		if (item->id == NULL)
			drop(a, i);
		else
			i++;
	}
	return rc;
}

int
asked_refuse(struct asked *a, const char *text, struct buf *to_editor)
{
	int rc = 0;

	while (rc == 0 && a->n > 0) {
		if (is_shutdown(&a->at[0]))
			rc = message_put_null(to_editor, a->at[0].id);
		else if (a->at[0].id != NULL)
			rc = message_put_error(to_editor, a->at[0].id,
			    MESSAGE_INTERNAL_ERROR, text);
		drop(a, 0);
	}
	return rc;
}
