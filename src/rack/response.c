/*
 * response.c - an answer's body: an Array by one system call, a file by
 * sendfile, what is yielded or written as it comes.
 */
#include "rack/response.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/fd.h"
#include "http/format.h"
#include "http/status.h"
#include "rack/call.h"
#include "rack/depart.h"
#include "rack/head.h"
#include "rack/hijack.h"
#include "rack/keys.h"
#include "rack/rack.h"
#include "rack/stream.h"

/* Arrays up to this are copied behind their head; larger ones are not. */
#define COPY_MOST 65536
/* What a slow client may leave in memory before the worker waits for it. */
#define PENDING_MOST (1u << 20)
#define IOV_BATCH 60

/* An exception, because it has to end the application's own loop. */
static void
client_check_raises(struct call *call)
{
	int error = call->conn->out.error;

	if (error != 0)
		rb_syserr_fail(-error, "the client");
}

static void
send_raises(struct call *call, const struct iovec *iov, int n)
{
	struct conn *c = call->conn;

	(void)out_put(&c->out, c->watch.fd, iov, n);
	client_check_raises(call);
	if (out_pending(&c->out) > PENDING_MOST) {
		(void)depart_wait_raises(c, PENDING_MOST / 2);
		client_check_raises(call);
	}
}

static void
bytes_raises(struct call *call, const char *bytes, size_t len)
{
	struct iovec iov = { .iov_len = len };

	/* sendmsg only reads, its struct cannot say so. */
	__builtin_memcpy(&iov.iov_base, &bytes, sizeof(bytes));
	send_raises(call, &iov, 1);
}

void
response_write_raises(struct call *call, const char *bytes, size_t len)
{
	struct out *out = &call->conn->out;

	if (len == 0 || call->framing == FRAME_NONE)
		return;
	if (call->framing == FRAME_LENGTH) {
		/* What was not promised would be read as the next answer. */
		if (len > call->left)
			len = (size_t)call->left;
		call->left -= len;
		if (len == 0)
			return;
	}
	if (call->framing != FRAME_CHUNKED) {
		bytes_raises(call, bytes, len);
		return;
	}
	if (format_chunk(&out->buf, len) < 0)
		rb_memerror();
	if (len <= COPY_MOST) {
		if (out_hold(out, bytes, len) < 0 ||
		    format_chunk_end(&out->buf) < 0)
			rb_memerror();
		bytes_raises(call, "", 0);
		return;
	}
	bytes_raises(call, bytes, len);
	if (format_chunk_end(&out->buf) < 0)
		rb_memerror();
}

/* All Strings; a new Array when one was something else. */
static VALUE
strings_raises(VALUE ary, uint64_t *total)
{
	VALUE strings = ary;
	long i;

	*total = 0;
	for (i = 0; i < RARRAY_LEN(ary); i++) {
		VALUE item = RARRAY_AREF(ary, i);

		if (!RB_TYPE_P(item, T_STRING)) {
			if (strings == ary)
				strings = rb_ary_dup(ary);
			item = rb_obj_as_string(item);
			rb_ary_store(strings, i, item);
		}
		*total += (uint64_t)RSTRING_LEN(item);
	}
	return strings;
}

/* No Ruby runs between taking the pointers and sending. */
static void
large_array_raises(struct call *call, VALUE strings)
{
	struct conn *c = call->conn;
	struct iovec iov[IOV_BATCH];
	long i, n = RARRAY_LEN(strings);
	int m = 0;

	for (i = 0; i < n; i++) {
		VALUE s = RARRAY_AREF(strings, i);

		iov[m++] =
		    (struct iovec){ RSTRING_PTR(s), (size_t)RSTRING_LEN(s) };
		if (m < IOV_BATCH && i + 1 < n)
			continue;
		(void)out_put(&c->out, c->watch.fd, iov, m);
		m = 0;
	}
	client_check_raises(call);
	call->left = 0;
}

static void
array_raises(struct call *call, VALUE ary)
{
	struct out *out = &call->conn->out;
	uint64_t total;
	VALUE strings = strings_raises(ary, &total);
	long i;

	head_end_raises(call, (int64_t)total);
	if (call->framing == FRAME_NONE)
		return;
	if (call->framing == FRAME_LENGTH && call->left == total) {
		if (total > COPY_MOST) {
			large_array_raises(call, strings);
			return;
		}
		for (i = 0; i < RARRAY_LEN(strings); i++) {
			VALUE s = RARRAY_AREF(strings, i);

			if (out_hold(out, RSTRING_PTR(s),
				(size_t)RSTRING_LEN(s)) < 0)
				rb_memerror();
		}
		call->left = 0;
		return;
	}
	for (i = 0; i < RARRAY_LEN(strings); i++) {
		VALUE s = rb_ary_entry(strings, i);

		response_write_raises(
		    call, RSTRING_PTR(s), (size_t)RSTRING_LEN(s));
		RB_GC_GUARD(s);
	}
	RB_GC_GUARD(strings);
}

/* A regular file whose length is what the head says: its descriptor, or -1. */
static int
file_open(struct call *call, VALUE path, off_t *size)
{
	struct stat st;
	int fd;

	if (!RB_TYPE_P(path, T_STRING) || call->is_raw || call->is_head)
		return -1;
	fd = open(RSTRING_PTR(path), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    (call->has_length && call->left != (uint64_t)st.st_size))
		fd_close(&fd);
	else
		*size = st.st_size;
	return fd;
}

static bool
to_path_raises(struct call *call)
{
	const struct keys *k = keys_get();
	struct out *out = &call->conn->out;
	off_t size = 0;
	VALUE path;
	int fd;

	if (!rb_respond_to(call->body, k->id_to_path))
		return false;
	path = rb_funcallv(call->body, k->id_to_path, 0, NULL);
	if (RB_TYPE_P(path, T_STRING))
		(void)StringValueCStr(path); /* raises for a NUL inside */
	fd = file_open(call, path, &size);
	if (fd < 0)
		return false;
	/* out owns it first: head_end_raises may raise. */
	out_file(out, fd, 0, (uint64_t)size);
	head_end_raises(call, size);
	if (call->framing == FRAME_NONE)
		out_file(out, -1, 0, 0);
	call->left = 0;
	return true;
}

static VALUE
chunk_raises(RB_BLOCK_CALL_FUNC_ARGLIST(chunk, p))
{
	VALUE str = rb_obj_as_string(chunk);

	(void)argc;
	(void)argv;
	(void)blockarg;
	response_write_raises(
	    (struct call *)p, RSTRING_PTR(str), (size_t)RSTRING_LEN(str));
	RB_GC_GUARD(str);
	return Qnil;
}

static void
hijacked_raises(struct call *call, VALUE callable)
{
	struct conn *c = call->conn;
	VALUE io;

	(void)depart_wait_raises(c, 0);
	client_check_raises(call);
	io = hijack_socket_raises(call);
	rb_funcallv(callable, keys_get()->id_call, 1, &io);
}

/* Several kinds of body; the first that fits wins. */
static void
body_raises(struct call *call)
{
	const struct keys *k = keys_get();
	VALUE ary = Qnil;

	if (RB_TYPE_P(call->body, T_ARRAY)) {
		array_raises(call, call->body);
		return;
	}
	if (to_path_raises(call))
		return;
	/*
	 * to_ary closes what it was asked of; one that a proxy only hands on to
	 * what is inside does not close the proxy.
	 */
	if (rb_respond_to(call->body, k->id_to_ary) &&
	    (rb_method_boundp(CLASS_OF(call->body), k->id_to_ary, 1) ||
		!rb_respond_to(call->body, k->id_close)))
		ary = rb_funcallv(call->body, k->id_to_ary, 0, NULL);
	if (RB_TYPE_P(ary, T_ARRAY)) {
		call->body = ary;
		array_raises(call, ary);
		return;
	}
	head_end_raises(call, -1);
	if (call->framing == FRAME_NONE)
		return;
	if (rb_respond_to(call->body, k->id_each)) {
		rb_block_call(
		    call->body, k->id_each, 0, NULL, chunk_raises, (VALUE)call);
		return;
	}
	call->stream = stream_object_raises(call);
	rb_funcallv(call->body, k->id_call, 1, &call->stream);
}

static void
end_raises(struct call *call)
{
	const struct keys *k = keys_get();
	VALUE trailers = Qnil;

	/* As Rack::Chunked had it: announced in the head, asked for now. */
	if (call->framing == FRAME_CHUNKED && call->has_trailer &&
	    rb_respond_to(call->body, k->id_trailers))
		trailers = rb_funcallv(call->body, k->id_trailers, 0, NULL);
	if (call->framing == FRAME_CHUNKED)
		head_trailers_raises(call, trailers);
	call->has_finished = call->framing != FRAME_LENGTH || call->left == 0;
}

void
response_raises(struct call *call)
{
	const struct keys *k = keys_get();

	call->head_begun = true;
	head_begin_raises(call);
	head_fields_raises(call, call->headers);
	/* An upgraded connection has no framing that a stream could write. */
	if (call->code == 101 && NIL_P(call->partial) &&
	    !rb_respond_to(call->body, k->id_each) &&
	    rb_respond_to(call->body, k->id_call))
		call->partial = call->body;
	if (!NIL_P(call->partial)) {
		head_end_raises(call, -1);
		hijacked_raises(call, call->partial);
		return;
	}
	body_raises(call);
	end_raises(call);
}

void
response_hints_raises(struct call *call, VALUE headers)
{
	struct conn *c = call->conn;

	call->code = 103;
	if (buf_puts(&c->out.buf, "HTTP/1.1 103 Early Hints\r\n") < 0)
		rb_memerror();
	head_fields_raises(call, headers);
	if (buf_put(&c->out.buf, "\r\n", 2) < 0)
		rb_memerror();
	(void)depart_wait_raises(c, 0);
	client_check_raises(call);
	/* An exception is still a 500: no answer has begun. */
	rack_count(&call->rack->row->bytes_out, c->out.sent);
	c->out.sent = 0;
}
