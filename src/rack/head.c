/* head.c - an answer's head. */
#include "rack/head.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "http/format.h"
#include "http/status.h"
#include "rack/call.h"
#include "rack/rack.h"

static struct buf *
out_of(struct call *call)
{
	return &call->conn->out.buf;
}

static void
check_raises(int rc)
{
	if (rc == -ENOMEM)
		rb_memerror();
}

static struct http_slice
slice_of(VALUE str)
{
	return (
	    struct http_slice){ RSTRING_PTR(str), (size_t)RSTRING_LEN(str) };
}

/* An Integer, or a String as unicorn takes it: "666 BEAST". */
static void
status_raises(struct call *call)
{
	struct http_slice reason = { "", 0 };
	VALUE text = Qnil;
	int rc;

	if (RB_FIXNUM_P(call->status)) {
		call->code = FIX2INT(call->status);
	} else {
		text = rb_obj_as_string(call->status);
		call->code = NUM2INT(rb_str_to_inum(text, 10, 0));
		if (RSTRING_LEN(text) > 4)
			reason = (struct http_slice){ RSTRING_PTR(text) + 4,
				(size_t)RSTRING_LEN(text) - 4 };
	}
	rc = format_status(out_of(call), call->code, reason);
	check_raises(rc);
	if (rc < 0)
		rb_raise(rb_eArgError, "%" PRIsVALUE " is not a status",
		    rb_inspect(call->status));
	RB_GC_GUARD(text);
}

void
head_begin_raises(struct call *call)
{
	static struct http_date date;

	call->has_length = call->has_close = call->is_raw = false;
	call->has_trailer = call->in_trailers = false;
	status_raises(call);
	check_raises(format_date(out_of(call), &date, time(NULL)));
}

/* Digits only; anything else is not a promise that could be kept. */
static bool
length_set(struct call *call, struct http_slice value)
{
	uint64_t n = 0;
	size_t i;

	if (call->has_length || value.len == 0 || value.len > 18)
		return false;
	for (i = 0; i < value.len; i++) {
		if (value.at[i] < '0' || value.at[i] > '9')
			return false;
		n = n * 10 + (uint64_t)(value.at[i] - '0');
	}
	call->has_length = true;
	call->left = n;
	return true;
}

/* RFC 9110 6.5.1: what routes, frames or steers has no place at the end. */
static bool
is_for_heads(struct http_slice name)
{
	static const char *const names[] = { "age", "authorization",
		"cache-control", "connection", "content-encoding",
		"content-length", "content-range", "content-type", "date",
		"host", "location", "retry-after", "set-cookie", "te",
		"trailer", "transfer-encoding", "upgrade", "vary",
		"www-authenticate" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (http_slice_is(name, names[i]))
			return true;
	return false;
}

/* false: the line is the server's to write, or has no place in this answer. */
static bool
is_wanted(struct call *call, struct http_slice name, struct http_slice value)
{
	if (call->in_trailers)
		return !is_for_heads(name);
	switch (name.len) {
	case 4:
		return !http_slice_is(name, "date");
	case 7:
		call->has_trailer |= http_slice_is(name, "trailer");
		return true;
	case 10:
		if (!http_slice_is(name, "connection"))
			return true;
		if (http_list_has(value, "close"))
			call->has_close = true;
		return call->code == 101;
	case 14:
		if (!http_slice_is(name, "content-length"))
			return true;
		/* 304 may say what 200 would have had. */
		return !call->is_raw && length_set(call, value) &&
		       (http_status_has_body(call->code) || call->code == 304);
	case 17:
		if (!http_slice_is(name, "transfer-encoding"))
			return true;
		call->is_raw =
		    !call->has_length && http_status_has_body(call->code);
		return call->is_raw;
	default:
		return true;
	}
}

static void
line_raises(struct call *call, struct http_slice name, struct http_slice value)
{
	int rc;

	if (!is_wanted(call, name, value))
		return;
	rc = format_field(out_of(call), name, value);
	check_raises(rc);
	if (rc < 0)
		log_warn("worker=%u: a response header is left out: its name "
			 "or value may not stand in a head: %.*s",
		    call->rack->self->slot,
		    (int)(name.len < 64 ? name.len : 64), name.at);
}

/* Rack 2: one String with a line for each value. */
static void
value_raises(struct call *call, VALUE name, VALUE value)
{
	VALUE str =
	    NIL_P(value) ? rb_str_new(NULL, 0) : rb_obj_as_string(value);
	struct http_slice rest = slice_of(str);
	const char *lf;

	while ((lf = memchr(rest.at, '\n', rest.len)) != NULL) {
		size_t len = (size_t)(lf - rest.at);

		if (len > 0)
			line_raises(call, slice_of(name),
			    (struct http_slice){ rest.at, len });
		rest.at += len + 1;
		rest.len -= len + 1;
		if (rest.len == 0)
			return;
	}
	line_raises(call, slice_of(name), rest);
	RB_GC_GUARD(str);
	RB_GC_GUARD(name);
}

/* "rack.*" is for the server. */
static void
special_raises(struct call *call, VALUE name, VALUE value)
{
	struct http_slice s = slice_of(name);

	if (http_slice_is(s, "rack.hijack") && !NIL_P(value))
		call->partial = value;
	if (http_slice_is(s, "rack.protocol") && call->code == 101) {
		line_raises(
		    call, HTTP_SLICE("Connection"), HTTP_SLICE("Upgrade"));
		value_raises(call, rb_str_new_cstr("Upgrade"), value);
	}
}

static int
pair_raises(VALUE key, VALUE value, VALUE p)
{
	struct call *call = (struct call *)p;
	VALUE name = rb_obj_as_string(key);
	long i;

	if (RSTRING_LEN(name) > 5 && memcmp(RSTRING_PTR(name), "rack.", 5) == 0)
		special_raises(call, name, value);
	else if (RB_TYPE_P(value, T_ARRAY))
		for (i = 0; i < RARRAY_LEN(value); i++)
			value_raises(call, name, rb_ary_entry(value, i));
	else
		value_raises(call, name, value);
	return ST_CONTINUE;
}

static VALUE
each_pair_raises(RB_BLOCK_CALL_FUNC_ARGLIST(first, p))
{
	VALUE pair = argc == 1 ? rb_check_array_type(first) : Qnil;

	(void)blockarg;
	if (argc >= 2)
		pair_raises(argv[0], argv[1], p);
	else if (!NIL_P(pair))
		pair_raises(rb_ary_entry(pair, 0), rb_ary_entry(pair, 1), p);
	return Qnil;
}

void
head_fields_raises(struct call *call, VALUE headers)
{
	if (NIL_P(headers))
		return;
	if (RB_TYPE_P(headers, T_HASH))
		rb_hash_foreach(headers, pair_raises, (VALUE)call);
	else
		rb_block_call(headers, rb_intern("each"), 0, NULL,
		    each_pair_raises, (VALUE)call);
}

static void
framing_raises(struct call *call, int64_t length)
{
	struct conn *c = call->conn;

	if (call->is_head || !http_status_has_body(call->code)) {
		call->framing = FRAME_NONE;
	} else if (call->is_raw) {
		call->framing = FRAME_CLOSE;
	} else if (call->has_length) {
		call->framing = FRAME_LENGTH;
	} else if (!NIL_P(call->partial)) {
		call->framing = FRAME_CLOSE;
		c->keep = false;
	} else if (length >= 0) {
		call->framing = FRAME_LENGTH;
		call->left = (uint64_t)length;
		check_raises(buf_printf(out_of(call),
		    "Content-Length: %lld\r\n", (long long)length));
	} else if (!call->is_1_0) {
		call->framing = FRAME_CHUNKED;
		check_raises(
		    buf_puts(out_of(call), "Transfer-Encoding: chunked\r\n"));
	} else {
		call->framing = FRAME_CLOSE;
		c->keep = false;
	}
}

void
head_end_raises(struct call *call, int64_t length)
{
	struct conn *c = call->conn;

	framing_raises(call, length);
	if (call->has_close || call->code == 101 ||
	    (c->req.is_streamed && !request_is_complete(&c->req)))
		c->keep = false;
	if (!c->keep && call->code != 101)
		check_raises(
		    buf_puts(out_of(call), "Connection: close\r\n\r\n"));
	else if (call->is_1_0)
		check_raises(
		    buf_puts(out_of(call), "Connection: keep-alive\r\n\r\n"));
	else
		check_raises(buf_put(out_of(call), "\r\n", 2));
	if (call->is_0_9)
		buf_reset(out_of(call));
}

void
head_trailers_raises(struct call *call, VALUE trailers)
{
	check_raises(buf_puts(out_of(call), "0\r\n"));
	call->in_trailers = true;
	head_fields_raises(call, trailers);
	check_raises(buf_put(out_of(call), "\r\n", 2));
}
