/* reader.c - Reforkd::BodyReader. */
#include "rack/reader.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "http/format.h"
#include "rack/call.h"
#include "rack/depart.h"
#include "rack/fields.h"
#include "rack/hijack.h"
#include "rack/rack.h"
#include "ruby/try.h"
#include "ruby/vm.h"

#define READ_BYTES 65536
#define REFUSAL "Reforkd::BadBody"

static VALUE reader_class;

NORETURN(static void refuse_raises(struct call *, int status));

static void
refuse_raises(struct call *call, int status)
{
	call->refused = status;
	rb_raise(rb_path2class(REFUSAL), "the request body is refused with %d",
	    status);
}

NORETURN(static void gone_raises(struct call *));

static void
gone_raises(struct call *call)
{
	call->conn->out.error = -EPIPE; /* nobody is there to be answered */
	rb_raise(rb_path2class("Reforkd::ClientShutdown"),
	    "the client has gone in the middle of its body");
}

struct waiting {
	struct pollfd pfd;
	int n;
};

static void *
poll_without_gvl(void *p)
{
	struct waiting *w = p;

	w->n = poll(&w->pfd, 1, 1000);
	return NULL;
}

static void
wait_raises(struct call *call)
{
	struct conn *c = call->conn;
	uint64_t limit_ms =
	    clock_ms() +
	    (uint64_t)call->rack->self->settings.client_body_timeout;
	struct waiting w = { .pfd = { .events = POLLIN } };

	while (w.n <= 0) {
		w.pfd.fd = c->watch.fd;
		vm_without_gvl(poll_without_gvl, &w);
		/* Timeouts and Thread#raise are the application's. */
		rb_thread_check_ints();
		if (w.n <= 0 && clock_ms() >= limit_ms)
			refuse_raises(call, 408);
	}
}

/* Asked for only now, so that what nobody reads is never sent. */
static void
continue_raises(struct call *call)
{
	struct conn *c = call->conn;

	if (!c->req.expects_continue || c->req.body_len > 0 || call->head_begun)
		return;
	c->req.expects_continue = false;
	if (format_continue(&c->out.buf) < 0)
		rb_memerror();
	if (depart_wait_raises(c, 0) < 0)
		gone_raises(call);
	/* No answer has begun: an exception is still a 500. */
	rack_count(&call->rack->row->bytes_out, c->out.sent);
	c->out.sent = 0;
}

/* One read; what lies behind the body is the next request's. */
static void
receive_raises(struct call *call)
{
	static char bytes[READ_BYTES];
	struct conn *c = call->conn;
	ssize_t n;
	size_t used;
	int rc;

	if (c->watch.fd < 0)
		rb_raise(rb_eIOError, "the connection was hijacked");
	continue_raises(call);
	n = recv(c->watch.fd, bytes, request_wants(&c->req, sizeof(bytes)),
	    MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		wait_raises(call);
		return;
	}
	if (n <= 0)
		gone_raises(call);
	rack_count(&call->rack->row->bytes_in, (uint64_t)n);
	rc = request_body(
	    &c->req, &call->rack->self->settings, bytes, (size_t)n, &used);
	if (rc < 0)
		refuse_raises(call, -rc);
	if (used < (size_t)n &&
	    buf_put(&c->in, bytes + used, (size_t)n - used) < 0)
		rb_memerror();
	if (rc > 0)
		fields_trailers_raises(call);
}

/* Some bytes, or nil behind the last ones. */
static VALUE
on_more_raises(VALUE self)
{
	struct call *call = hijack_call_raises(self);
	struct request *req = &call->conn->req;
	VALUE chunk;

	while (req->body.len == 0) {
		if (request_is_complete(req))
			return Qnil;
		receive_raises(call);
	}
	chunk = rb_str_new(req->body.data, (long)req->body.len);
	buf_reset(&req->body);
	return chunk;
}

VALUE
reader_build_raises(struct call *call)
{
	VALUE class = rb_path2class("Reforkd::StreamInput");

	call->reader = hijack_wrap_raises(reader_class, call);
	call->streamed = rb_class_new_instance(1, &call->reader, class);
	return call->streamed;
}

VALUE
reader_rest_raises(struct call *call)
{
	struct request *req = &call->conn->req;
	VALUE rest;

	if (NIL_P(call->streamed) || request_is_complete(req))
		return rb_str_new(NULL, 0);
	rest = rb_funcall(call->streamed, rb_intern("give_back"), 0);
	rb_str_cat(rest, req->body.data, (long)req->body.len);
	buf_reset(&req->body);
	return rest;
}

bool
reader_is_refusal(const struct call *call, const struct ruby_error *why)
{
	return call->refused != 0 && strcmp(why->class_name, REFUSAL) == 0;
}

VALUE
reader_open_raises(VALUE unused)
{
	VALUE owner = rb_define_module("Reforkd");

	(void)unused;
	reader_class = rb_define_class_under(owner, "BodyReader", rb_cObject);
	rb_undef_alloc_func(reader_class);
	rb_define_method(reader_class, "more", on_more_raises, 0);
	return Qnil;
}
