/*
 * env.c - the environment: a template Hash is duplicated, then what differs
 * between requests is set. Keys are frozen and interned, most values are new.
 */
#include "rack/env.h"

#include <stdio.h>
#include <string.h>

#include <ruby/encoding.h>

#include <reforkd/version.h>

#include "rack/call.h"
#include "rack/fields.h"
#include "rack/hijack.h"
#include "rack/input.h"
#include "rack/keys.h"
#include "rack/rack.h"
#include "ruby/hooks.h"
#include "ruby/names.h"

#define HOST_CAP 128

/* What does not change in a worker's life, and the last Host seen. */
static struct {
	VALUE template;
	VALUE had_method, had_name, had_port; /* the template's, frozen */
	VALUE server_name;
	VALUE server_port;
	size_t host_len, port_len;
	char host[HOST_CAP], port[8];
	bool star;        /* "*" is a path here, and to this Rack */
	bool is_relative; /* REQUEST_URI never has scheme and host */
	struct keys v;    /* values: in unicorn's encoding */
	bool registered;
} own;

static void
logger_raises(VALUE env)
{
	VALUE logger = rb_funcall(
	    hooks_config(), rb_intern("[]"), 1, ID2SYM(rb_intern("logger")));

	if (rb_respond_to(logger, rb_intern("info")))
		rb_hash_aset(env, keys_get()->rack_logger, logger);
}

/* unicorn's has none: its limit cannot be moved. */
static void
timeout_raises(const struct rack *r, VALUE env)
{
	if (r->self->settings.personality != RFK_UNICORN)
		rb_hash_aset(env, names_string_raises("pitchfork.timeout"),
		    rb_const_get(
			rb_path2class("Reforkd"), rb_intern("TIMEOUT")));
}

static VALUE
template_raises(const struct rack *r)
{
	const struct keys *k = keys_get();
	VALUE env = rb_hash_new();

	rb_hash_aset(env, k->rack_version,
	    rb_obj_freeze(rb_assoc_new(INT2FIX(1), INT2FIX(2))));
	rb_hash_aset(env, k->rack_errors, rb_stderr);
	rb_hash_aset(env, k->rack_multithread, Qfalse);
	rb_hash_aset(env, k->rack_multiprocess, Qtrue);
	rb_hash_aset(env, k->rack_run_once, Qfalse);
	rb_hash_aset(env, k->rack_is_hijack, Qtrue);
	rb_hash_aset(env, k->script_name, own.v.empty);
	rb_hash_aset(env, k->server_software,
	    names_string_raises("reforkd " RFK_VERSION));
	/* Set by each request; here so that the copies need not grow. */
	rb_hash_aset(env, k->request_method, own.v.get);
	rb_hash_aset(env, k->request_uri, own.v.empty);
	rb_hash_aset(env, k->request_path, own.v.empty);
	rb_hash_aset(env, k->path_info, own.v.empty);
	rb_hash_aset(env, k->query_string, own.v.empty);
	rb_hash_aset(env, k->server_protocol, own.v.http_1_1);
	rb_hash_aset(env, k->http_version, own.v.http_1_1);
	rb_hash_aset(env, k->server_name, own.v.localhost);
	rb_hash_aset(env, k->server_port, own.v.port_80);
	rb_hash_aset(env, k->remote_addr, own.v.empty);
	rb_hash_aset(env, k->rack_url_scheme, own.v.http);
	rb_hash_aset(env, k->rack_input, input_none());
	rb_hash_aset(env, k->rack_hijack, Qnil);
	rb_hash_aset(env, k->rack_after_reply, Qnil);
	if (r->self->settings.personality != RFK_UNICORN)
		rb_hash_aset(env, k->rack_response_finished, Qnil);
	timeout_raises(r, env);
	if (NIL_P(hooks_config()))
		return env;
	logger_raises(env);
	/* HttpRequest::DEFAULTS["rack.url_scheme"] = "https" of a file. */
	rb_funcall(env, rb_intern("update"), 1,
	    rb_funcall(hooks_config(), rb_intern("env_defaults"), 0));
	return env;
}

static bool
rack_takes_star_raises(void)
{
	VALUE release, mod = names_class_raises("Rack");

	if (NIL_P(mod) || !rb_respond_to(mod, rb_intern("release")))
		return false;
	release = rb_funcall(mod, rb_intern("release"), 0);
	return strncmp(StringValueCStr(release), "3.0", 3) > 0;
}

static void
value_raises(VALUE *value, bool binary)
{
	VALUE str;

	if (!binary)
		return;
	str = rb_enc_associate(rb_str_dup(*value), rb_ascii8bit_encoding());
	rb_gc_register_mark_object(rb_obj_freeze(str));
	*value = str;
}

/* unicorn's parser makes nothing but bytes of them. */
static void
values_raises(bool binary)
{
	own.v = *keys_get();
	value_raises(&own.v.get, binary);
	value_raises(&own.v.post, binary);
	value_raises(&own.v.http_1_0, binary);
	value_raises(&own.v.http_1_1, binary);
	value_raises(&own.v.http, binary);
	value_raises(&own.v.https, binary);
	value_raises(&own.v.localhost, binary);
	value_raises(&own.v.port_80, binary);
	value_raises(&own.v.port_443, binary);
	value_raises(&own.v.empty, binary);
}

VALUE
env_open_raises(VALUE p)
{
	const struct rack *r = (const struct rack *)p;
	enum rfk_personality personality = r->self->settings.personality;

	if (!own.registered) {
		rb_gc_register_address(&own.template);
		rb_gc_register_address(&own.server_name);
		rb_gc_register_address(&own.server_port);
		rb_gc_register_address(&own.had_method);
		rb_gc_register_address(&own.had_name);
		rb_gc_register_address(&own.had_port);
		own.registered = true;
	}
	fields_open(personality);
	own.star = personality != RFK_UNICORN && rack_takes_star_raises();
	own.is_relative = personality != RFK_NATIVE;
	values_raises(personality == RFK_UNICORN);
	own.server_name = own.v.localhost;
	own.server_port = own.v.port_80;
	own.host_len = 0;
	own.had_method = own.had_name = own.had_port = Qnil;
	own.template = template_raises(r);
	return Qnil;
}

static bool
same(struct http_slice s, const char *text, size_t len)
{
	return s.len == len && memcmp(s.at, text, len) == 0;
}

/* Where this request has what the one before had, its copy has it already. */
static void
again_raises(struct call *call, VALUE key, VALUE value, VALUE *before)
{
	if (value == *before)
		return;
	rb_hash_aset(call->env, key, value);
	if (!OBJ_FROZEN(value))
		return;
	rb_hash_aset(own.template, key, value);
	*before = value;
}

/* Most requests have the Host of the one before. */
static void
server_raises(struct call *call, bool is_https)
{
	const struct keys *k = keys_get();
	const struct http_head *head = &call->rack->head;
	VALUE name = own.v.localhost,
	      port = is_https ? own.v.port_443 : own.v.port_80;

	if (head->host.len == 0 || head->host.len > HOST_CAP ||
	    head->port.len > sizeof(own.port)) {
		if (head->host.len > 0)
			name = fields_string_raises(head->host);
	} else {
		if (own.host_len == 0 ||
		    !same(head->host, own.host, own.host_len)) {
			own.server_name =
			    rb_obj_freeze(fields_string_raises(head->host));
			memcpy(own.host, head->host.at, head->host.len);
			own.host_len = head->host.len;
		}
		name = own.server_name;
	}
	if (head->port.len > 0 && head->port.len <= sizeof(own.port)) {
		if (!same(head->port, own.port, own.port_len)) {
			own.server_port =
			    rb_obj_freeze(fields_string_raises(head->port));
			memcpy(own.port, head->port.at, head->port.len);
			own.port_len = head->port.len;
		}
		port = own.server_port;
	}
	again_raises(call, k->server_name, name, &own.had_name);
	again_raises(call, k->server_port, port, &own.had_port);
}

static VALUE
method_raises(const struct http_head *head)
{
	if (same(head->method, "GET", 3))
		return own.v.get;
	if (same(head->method, "POST", 4))
		return own.v.post;
	return fields_string_raises(head->method);
}

/* unicorn's has path and query alone, whatever the form of the target. */
static VALUE
uri_raises(const struct http_head *head)
{
	struct http_slice uri = head->path;

	if (!own.is_relative)
		return fields_string_raises(head->target);
	if (head->has_query && uri.at >= head->target.at &&
	    uri.at < head->query.at)
		uri.len = (size_t)(head->query.at + head->query.len - uri.at);
	return fields_string_raises(uri);
}

/* What the target names replaces what the field says (RFC 9112, 3.2.2). */
static void
host_raises(struct call *call)
{
	const struct http_head *head = &call->rack->head;
	VALUE host;

	if (head->scheme.len == 0 || head->host.len == 0)
		return;
	host = fields_string_raises(head->host);
	if (head->port.len > 0) {
		rb_str_cat_cstr(host, ":");
		rb_str_cat(host, head->port.at, (long)head->port.len);
	}
	rb_hash_aset(call->env, keys_get()->http_host, host);
}

static void
target_raises(struct call *call)
{
	const struct keys *k = keys_get();
	const struct http_head *head = &call->rack->head;
	VALUE path = fields_string_raises(head->path);
	VALUE info = path;

	/* As in unicorn the two are one String, but for "OPTIONS *". */
	if (same(head->path, "*", 1) && !own.star)
		info = path = rb_str_new(NULL, 0);
	rb_hash_aset(call->env, k->request_uri, uri_raises(head));
	rb_hash_aset(call->env, k->request_path, path);
	rb_hash_aset(call->env, k->path_info, info);
	rb_hash_aset(
	    call->env, k->query_string, fields_string_raises(head->query));
	if (head->fragment.len > 0)
		rb_hash_aset(call->env, k->fragment,
		    fields_string_raises(head->fragment));
}

static void
version_raises(struct call *call)
{
	const struct keys *k = keys_get();
	const struct http_head *head = &call->rack->head;
	VALUE version = own.v.http_1_0;

	if (same(head->version, "HTTP/1.1", 8))
		return;
	if (!same(head->version, "HTTP/1.0", 8))
		version = fields_string_raises(head->version.len > 0
						   ? head->version
						   : HTTP_SLICE("HTTP/0.9"));
	rb_hash_aset(call->env, k->server_protocol, version);
	if (head->version.len > 0)
		rb_hash_aset(call->env, k->http_version, version);
	else
		rb_hash_delete(call->env, k->http_version);
}

/* One Array under both names: callables are told apart by their arity. */
static void
callbacks_raises(struct call *call)
{
	const struct keys *k = keys_get();
	VALUE list = rb_ary_new();

	rb_hash_aset(call->env, k->rack_after_reply, list);
	if (call->rack->self->settings.personality != RFK_UNICORN)
		rb_hash_aset(call->env, k->rack_response_finished, list);
}

void
env_build_raises(struct call *call)
{
	const struct keys *k = keys_get();
	const struct http_head *head = &call->rack->head;
	bool is_https = false;

	call->env = rb_hash_dup(own.template);
	fields_put_raises(call, &is_https);
	if (head->scheme.len > 0)
		is_https = http_slice_is(head->scheme, "https");
	if (is_https)
		rb_hash_aset(call->env, k->rack_url_scheme, own.v.https);
	if (call->conn->req.has_body) {
		fields_trailers_raises(call);
		rb_hash_aset(
		    call->env, k->rack_input, input_build_raises(call));
	}
	again_raises(
	    call, k->request_method, method_raises(head), &own.had_method);
	target_raises(call);
	host_raises(call);
	version_raises(call);
	server_raises(call, is_https);
	rb_hash_aset(call->env, k->remote_addr,
	    fields_string_raises((struct http_slice){
		call->conn->remote, strlen(call->conn->remote) }));
	if (head->upgrade)
		fields_protocol_raises(call);
	callbacks_raises(call);
	call->hijack = hijack_object_raises(call);
	rb_hash_aset(call->env, k->rack_hijack, call->hijack);
	if (call->rack->self->settings.early_hints) {
		call->hints = hijack_hints_raises(call);
		rb_hash_aset(call->env, k->rack_early_hints, call->hints);
	}
}

static const char *
text_raises(const struct call *call, VALUE key, int *len)
{
	VALUE text = rb_hash_lookup(call->env, key);

	*len = 0;
	if (!RB_TYPE_P(text, T_STRING))
		return NULL;
	*len = (int)RSTRING_LEN(text);
	return RSTRING_PTR(text);
}

void
env_title_raises(const struct call *call)
{
	char what[512];
	int path_len, id_len;
	const char *path = text_raises(call, keys_get()->path_info, &path_len);
	const char *id = text_raises(call, keys_get()->request_id, &id_len);

	snprintf(what, sizeof(what), "processing: %.*s%s%.*s", path_len,
	    path != NULL ? path : "", id != NULL ? ", request_id: " : "",
	    id_len, id != NULL ? id : "");
	worker_unit_title(call->rack->worker, what);
}
