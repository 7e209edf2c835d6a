/* call.c - a unit of work. */
#include "rack/call.h"

#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/log.h"
#include "http/format.h"
#include "ipc/board.h"
#include "rack/depart.h"
#include "rack/env.h"
#include "rack/hijack.h"
#include "rack/input.h"
#include "rack/keys.h"
#include "rack/rack.h"
#include "rack/reader.h"
#include "rack/response.h"
#include "rack/stream.h"
#include "ruby/hooks.h"
#include "ruby/prelude.h"
#include "ruby/try.h"

static const unsigned char rack_rb[] = {
#include "rack/rack.rb.inc"
};

int
call_open(struct rack *r)
{
	static const struct prelude part = { "rack.rb", rack_rb,
		sizeof(rack_rb) };
	static bool defined;
	struct ruby_error why;
	int rc = 0;

	if (!defined) {
		rc = prelude_load(&part, &why);
		if (rc == 0)
			rc = ruby_try(keys_open_raises, NULL, &why);
		if (rc == 0)
			rc = ruby_try(hijack_open_raises, NULL, &why);
		if (rc == 0)
			rc = ruby_try(stream_open_raises, NULL, &why);
		if (rc == 0)
			rc = ruby_try(input_open_raises, NULL, &why);
		if (rc == 0)
			rc = ruby_try(reader_open_raises, NULL, &why);
		defined = rc == 0;
	}
	if (rc == 0)
		rc = ruby_try(env_open_raises, r, &why);
	if (rc < 0)
		ruby_error_log("the Rack side of this worker", &why);
	return rc;
}

static void
app_raises(struct call *call)
{
	VALUE answer =
	    rb_funcallv(hooks_app(), keys_get()->id_call, 1, &call->env);

	if (call->is_hijacked)
		return;
	answer = rb_convert_type(answer, T_ARRAY, "Array", "to_ary");
	if (RARRAY_LEN(answer) < 3)
		rb_raise(rb_eTypeError,
		    "the application answered an Array of %ld elements",
		    RARRAY_LEN(answer));
	call->status = rb_ary_entry(answer, 0);
	call->headers = rb_ary_entry(answer, 1);
	call->body = rb_ary_entry(answer, 2);
}

static bool
wants_continue(const struct call *call)
{
	return call->status == INT2FIX(100);
}

static VALUE
serve_raises(VALUE p)
{
	struct call *call = (struct call *)p;

	env_build_raises(call);
	if (call->rack->self->settings.personality == RFK_PITCHFORK)
		env_title_raises(call);
	hooks_unit(call->env);
	app_raises(call);
	/* unicorn's way to say "go on": the body is here, so it is called on.
	 */
	if (!call->is_hijacked && wants_continue(call)) {
		rb_hash_delete(call->env, keys_get()->http_expect);
		app_raises(call);
	}
	if (!call->is_hijacked)
		response_raises(call);
	return Qnil;
}

/* Kept for rack.response_finished. */
static VALUE
rescued_raises(VALUE p, VALUE error)
{
	((struct call *)p)->error = error;
	rb_exc_raise(error);
	return Qnil;
}

static VALUE
serve_guarded_raises(VALUE p)
{
	return rb_rescue2(
	    serve_raises, p, rescued_raises, p, rb_eException, (VALUE)0);
}

static VALUE
client_raises(void *p)
{
	serve_guarded_raises((VALUE)p);
	return ((struct call *)p)->env;
}

/* process_client(client), with what gems have put around it. */
static VALUE
serve_around_raises(VALUE p)
{
	hooks_around_client_raises(client_raises, (void *)p);
	return Qnil;
}

static VALUE
close_raises(VALUE p)
{
	struct call *call = (struct call *)p;
	VALUE body = call->body;

	call->body = Qnil;
	if (!NIL_P(body) && !RB_TYPE_P(body, T_ARRAY) &&
	    rb_respond_to(body, keys_get()->id_close))
		rb_funcallv(body, keys_get()->id_close, 0, NULL);
	return Qnil;
}

static VALUE
input_end_raises(VALUE p)
{
	input_close_raises((struct call *)p);
	return Qnil;
}

/* The client learns of it by a 500, unless it has read another status line. */
static void
failed(struct call *call, const struct ruby_error *why)
{
	struct conn *c = call->conn;

	if (why->is_exit) {
		worker_leave(call->rack->worker, why->status);
	} else if (c->out.error == 0 && !reader_is_refusal(call, why)) {
		ruby_error_log("app error", why);
		rack_count(&call->rack->row->errors, 1);
	}
	if (call->is_hijacked || c->watch.fd < 0)
		return;
	call->has_finished = false;
	/* Whatever was held and not sent never happened. */
	if (c->out.sent > 0 || c->out.error != 0 || why->is_exit)
		return;
	out_reset(&c->out);
	c->keep = false;
	call->has_finished =
	    depart_error(
		c, reader_is_refusal(call, why) ? call->refused : 500) == 0;
}

static VALUE
partial_close_raises(VALUE io)
{
	return rb_io_close(io);
}

/* In unicorn's files the server closes what was hijacked in the head. */
static void
partial_end(struct call *call)
{
	if (!NIL_P(call->partial) && !NIL_P(call->io) &&
	    call->rack->self->settings.personality == RFK_UNICORN)
		(void)ruby_try(partial_close_raises, (void *)call->io, NULL);
}

/* What nobody has read must not pass for the next request. */
static void
unread_end(struct call *call)
{
	struct conn *c = call->conn;

	if (!c->req.is_streamed || request_is_complete(&c->req))
		return;
	c->keep = false;
	c->is_tainted = true;
}

/* The connection goes on without the call, or ends. */
static void
hand_back(struct call *call)
{
	struct conn *c = call->conn;

	call->conn = NULL;
	if (c->watch.fd < 0)
		conn_gone(c);
	else if (!call->has_finished && c->out.sent == 0)
		conn_close(c);
	else if (!call->has_finished)
		conn_cut(c);
	else
		depart(c);
}

struct finished {
	struct call *call;
	VALUE callable;
	bool is_plain;
};

static VALUE
finished_raises(VALUE p)
{
	struct finished *f = (struct finished *)p;

	if (f->is_plain)
		return rb_funcallv(f->callable, keys_get()->id_call, 0, NULL);
	return rb_funcall(rb_path2class("Reforkd"), rb_intern("finished"), 5,
	    f->callable, f->call->env, f->call->status, f->call->headers,
	    f->call->error);
}

static VALUE
lookup_raises(VALUE p)
{
	struct finished *f = (struct finished *)p;

	f->callable = rb_hash_lookup(f->call->env, f->callable);
	return Qnil;
}

/* The Array that stands in env now: the application may have set its own. */
static VALUE
callbacks_of(struct call *call, VALUE key)
{
	struct finished f = { .call = call, .callable = key };

	if (NIL_P(call->env) || ruby_try(lookup_raises, &f, NULL) < 0)
		return Qnil;
	return RB_TYPE_P(f.callable, T_ARRAY) ? f.callable : Qnil;
}

static void
callbacks_run(struct call *call, VALUE list, const char *name)
{
	bool is_plain = call->rack->self->settings.personality == RFK_UNICORN;
	struct ruby_error why;
	long i, n = NIL_P(list) ? 0 : RARRAY_LEN(list);

	for (i = 0; i < n && i < RARRAY_LEN(list); i++) {
		struct finished f = { .call = call, .is_plain = is_plain };

		f.callable = RARRAY_AREF(list, is_plain ? i : n - 1 - i);
		if (ruby_try(finished_raises, &f, &why) == 0)
			continue;
		ruby_error_log(name, &why);
		if (why.is_exit)
			worker_leave(call->rack->worker, why.status);
	}
}

static void
afterwards(struct call *call)
{
	VALUE after = callbacks_of(call, keys_get()->rack_after_reply);
	VALUE done = callbacks_of(call, keys_get()->rack_response_finished);
	struct ruby_error why;

	callbacks_run(call, after, "rack.after_reply error");
	if (done != after)
		callbacks_run(call, done, "rack.response_finished error");
	if (hooks_has(HOOK_AFTER_REQUEST_COMPLETE) &&
	    hooks_request_complete(call->rack->self, call->env, &why) < 0)
		ruby_error_log("after_request_complete", &why);
}

/* check_client_connection: nobody would read the answer. */
static bool
client_has_gone(const struct conn *c)
{
	struct pollfd pfd = { .fd = c->watch.fd };
	struct tcp_info info;
	socklen_t len = (socklen_t)sizeof(info);

	if (c->is_unix)
		return poll(&pfd, 1, 0) > 0 &&
		       (pfd.revents & (POLLHUP | POLLERR)) != 0;
	if (getsockopt(c->watch.fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
		return false;
	return info.tcpi_state == TCP_CLOSE_WAIT ||
	       info.tcpi_state == TCP_TIME_WAIT ||
	       info.tcpi_state == TCP_CLOSE ||
	       info.tcpi_state == TCP_LAST_ACK ||
	       info.tcpi_state == TCP_CLOSING;
}

static void
prepare(struct call *call)
{
	struct rack *r = call->rack;
	struct conn *c = call->conn;
	const struct http_head *head = &r->head;

	call->is_head =
	    head->method.len == 4 && memcmp(head->method.at, "HEAD", 4) == 0;
	call->is_1_0 = head->major == 1 ? head->minor == 0 : head->major == 0;
	call->is_0_9 = head->major == 0;
	c->keep = head->keep_alive && r->keepalive && !r->is_draining &&
		  !rack_should_shed(r);
	c->is_silent = !head->keep_alive && !c->req.has_body &&
		       c->in.len == c->req.head_len;
	c->out.sent = 0;
}

void
call_run(struct conn *c)
{
	struct rack *r = c->rack;
	struct call call = { .rack = r,
		.conn = c,
		.env = Qnil,
		.status = Qnil,
		.headers = Qnil,
		.body = Qnil,
		.error = Qnil,
		.hijack = Qnil,
		.hints = Qnil,
		.stream = Qnil,
		.io = Qnil,
		.input = Qnil,
		.reader = Qnil,
		.streamed = Qnil,
		.partial = Qnil };
	struct ruby_error why;
	uint64_t began_us;

	if (r->self->settings.check_client_connection && client_has_gone(c)) {
		conn_cut(c);
		return;
	}
	prepare(&call);
	began_us = worker_unit_begin(r->worker, r->head.method.at,
	    r->head.method.len, r->head.target.at, r->head.target.len);
	board_count_us(r->row->queue_us, began_us - c->ready_us);
	if (ruby_try(r->is_patched ? serve_around_raises : serve_guarded_raises,
		&call, &why) < 0)
		failed(&call, &why);
	if (!NIL_P(call.body) && ruby_try(close_raises, &call, &why) < 0)
		ruby_error_log("body.close", &why);
	partial_end(&call);
	hijack_detach(call.hijack);
	hijack_detach(call.hints);
	hijack_detach(call.stream);
	hijack_detach(call.reader);
	unread_end(&call);
	hand_back(&call);
	if (!NIL_P(call.input))
		(void)ruby_try(input_end_raises, &call, NULL);
	afterwards(&call);
	hooks_unit(Qnil);
	worker_unit_end(r->worker);
	RB_GC_GUARD(call.env);
}
