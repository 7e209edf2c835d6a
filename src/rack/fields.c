/*
 * fields.c - header and trailer fields into the environment: a key each, and
 * what becomes of one that comes twice.
 */
#include "rack/fields.h"

#include <string.h>

#include <ruby/encoding.h>

#include "http/chunked.h"
#include "rack/call.h"
#include "rack/keys.h"
#include "rack/rack.h"

#define TRAILERS_MOST 64

/* What does not change in a worker's life. */
static struct {
	const char *separator; /* of fields that come twice */
	bool is_utf8;          /* pitchfork: values of ASCII alone are UTF-8 */
} own;

void
fields_open(enum rfk_personality personality)
{
	own.is_utf8 = personality == RFK_PITCHFORK;
	own.separator = personality == RFK_NATIVE ? ", " : ",";
}

VALUE
fields_string_raises(struct http_slice s)
{
	VALUE str = rb_str_new(s.at, (long)s.len);

	if (own.is_utf8 && rb_enc_str_asciionly_p(str))
		rb_enc_associate(str, rb_utf8_encoding());
	return str;
}

static bool
has_underscore(struct http_slice name)
{
	return memchr(name.at, '_', name.len) != NULL;
}

/*
 * One key came twice. X_Y and X-Y are one key in CGI: where both came, the one
 * with a dash is the one that proxies set and check. Of two Hosts, which
 * http_compat lets pass, the first is the server's name, and so the host.
 */
static void
join_raises(struct call *call, VALUE key)
{
	const struct http_head *head = &call->rack->head;
	const char *separator =
	    key == keys_get()->http_cookie ? "; " : own.separator;
	VALUE dashed = Qnil, other = Qnil;
	size_t i;

	for (i = 0; i < head->nfields; i++) {
		VALUE *to =
		    has_underscore(head->fields[i].name) ? &other : &dashed;

		if (keys_header_raises(head->fields[i].name) != key)
			continue;
		if (NIL_P(*to)) {
			*to = fields_string_raises(head->fields[i].value);
			continue;
		}
		if (key == keys_get()->http_host)
			continue;
		rb_str_cat_cstr(*to, separator);
		rb_str_cat(*to, head->fields[i].value.at,
		    (long)head->fields[i].value.len);
	}
	rb_hash_aset(call->env, key, NIL_P(dashed) ? other : dashed);
}

static bool
starts_with(struct http_slice s, const char *word)
{
	size_t len = strlen(word);

	return s.len >= len && memcmp(s.at, word, len) == 0;
}

void
fields_put_raises(struct call *call, bool *is_https)
{
	const struct keys *k = keys_get();
	const struct http_head *head = &call->rack->head;
	size_t i, size = RHASH_SIZE(call->env);

	for (i = 0; i < head->nfields; i++) {
		const struct http_field *f = &head->fields[i];
		VALUE key = keys_header_raises(f->name);

		/* "Version: x" would replace the protocol's. */
		if (key == k->http_version)
			continue;
		rb_hash_aset(call->env, key, fields_string_raises(f->value));
		if (RHASH_SIZE(call->env) == size)
			join_raises(call, key);
		size = RHASH_SIZE(call->env);
		if ((key == k->forwarded_proto &&
			starts_with(f->value, "https")) ||
		    (key == k->forwarded_ssl && http_slice_is(f->value, "on")))
			*is_https = true;
	}
}

/* Trailers do not replace what the head said. */
void
fields_trailers_raises(struct call *call)
{
	struct http_field fields[TRAILERS_MOST];
	int n, i;

	if (!call->conn->req.is_chunked ||
	    !request_is_complete(&call->conn->req))
		return;
	n = chunked_trailers(&call->conn->req.chunked, fields, TRAILERS_MOST);
	for (i = 0; i < n; i++) {
		VALUE key = keys_header_raises(fields[i].name);

		if (NIL_P(rb_hash_lookup(call->env, key)))
			rb_hash_aset(call->env, key,
			    fields_string_raises(fields[i].value));
	}
}

void
fields_protocol_raises(struct call *call)
{
	const struct http_head *head = &call->rack->head;
	VALUE list = rb_ary_new();
	size_t i;

	for (i = 0; i < head->nfields; i++) {
		struct http_slice rest = head->fields[i].value, item;

		if (!http_slice_is(head->fields[i].name, "upgrade"))
			continue;
		while (http_list_next(&rest, &item))
			rb_ary_push(list, fields_string_raises(item));
	}
	rb_hash_aset(call->env, keys_get()->rack_protocol, list);
}
