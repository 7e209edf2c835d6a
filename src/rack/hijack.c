/* hijack.c - what an application may do with its connection. */
#include "rack/hijack.h"

#include <sys/uio.h>

#include "http/format.h"
#include "rack/call.h"
#include "rack/keys.h"
#include "rack/rack.h"
#include "rack/reader.h"
#include "rack/response.h"

static VALUE hijack_class, hints_class;

static const rb_data_type_t type = {
	.wrap_struct_name = "reforkd/call",
	.flags = RUBY_TYPED_FREE_IMMEDIATELY,
};

VALUE
hijack_wrap_raises(VALUE class, struct call *call)
{
	return TypedData_Wrap_Struct(class, &type, call);
}

struct call *
hijack_call_raises(VALUE object)
{
	struct call *call = rb_check_typeddata(object, &type);

	if (call == NULL)
		rb_raise(rb_eIOError, "the request has ended");
	return call;
}

void
hijack_detach(VALUE object)
{
	if (!NIL_P(object))
		RTYPEDDATA_DATA(object) = NULL;
}

VALUE
hijack_socket_raises(struct call *call)
{
	struct conn *c = call->conn;
	size_t used = c->req.head_len;
	VALUE owner = rb_path2class("Reforkd");
	VALUE early;

	if (!NIL_P(call->io))
		return call->io;
	early = reader_rest_raises(call);
	rb_str_cat(early, c->in.data + used, (long)(c->in.len - used));
	/* From the call on the descriptor is the IO's: it closes it. */
	call->io = rb_funcall(owner, rb_intern("socket_from"), 3,
	    INT2FIX(c->watch.fd), c->is_unix ? Qtrue : Qfalse, early);
	(void)conn_give_fd(c);
	return call->io;
}

/* rack.hijack.call */
static VALUE
on_hijack_raises(VALUE object)
{
	struct call *call = hijack_call_raises(object);

	if (call->head_begun)
		rb_raise(rb_eIOError, "the answer has begun");
	call->is_hijacked = true;
	hijack_socket_raises(call);
	rb_hash_aset(call->env, keys_get()->rack_hijack_io, call->io);
	return call->io;
}

VALUE
hijack_object_raises(struct call *call)
{
	return hijack_wrap_raises(hijack_class, call);
}

/* rack.early_hints.call(headers): a 103 at once, when the client can read it.
 */
static VALUE
on_hints_raises(VALUE object, VALUE headers)
{
	struct call *call = hijack_call_raises(object);

	if (call->is_1_0 || call->head_begun || call->is_hijacked)
		return Qnil;
	response_hints_raises(call, headers);
	return Qnil;
}

VALUE
hijack_hints_raises(struct call *call)
{
	return hijack_wrap_raises(hints_class, call);
}

VALUE
hijack_open_raises(VALUE unused)
{
	VALUE owner = rb_define_module("Reforkd");

	(void)unused;
	hijack_class = rb_define_class_under(owner, "Hijack", rb_cObject);
	rb_undef_alloc_func(hijack_class);
	rb_define_method(hijack_class, "call", on_hijack_raises, 0);
	hints_class = rb_define_class_under(owner, "EarlyHints", rb_cObject);
	rb_undef_alloc_func(hints_class);
	rb_define_method(hints_class, "call", on_hints_raises, 1);
	return Qnil;
}
