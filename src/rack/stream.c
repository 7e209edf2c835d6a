/* stream.c - Reforkd::Stream. */
#include "rack/stream.h"

#include "rack/call.h"
#include "rack/hijack.h"
#include "rack/keys.h"
#include "rack/response.h"

static VALUE stream_class;
static ID is_closed;

static void
put_raises(struct call *call, VALUE chunk)
{
	VALUE str = rb_obj_as_string(chunk);

	response_write_raises(call, RSTRING_PTR(str), (size_t)RSTRING_LEN(str));
	RB_GC_GUARD(str);
}

static struct call *
open_raises(VALUE self)
{
	struct call *call = hijack_call_raises(self);

	if (RTEST(rb_ivar_get(self, is_closed)))
		rb_raise(rb_eIOError, "closed stream");
	return call;
}

static VALUE
on_write_raises(int argc, VALUE *argv, VALUE self)
{
	struct call *call = open_raises(self);
	size_t bytes = 0;
	int i;

	for (i = 0; i < argc; i++) {
		VALUE str = rb_obj_as_string(argv[i]);

		bytes += (size_t)RSTRING_LEN(str);
		put_raises(call, str);
	}
	return SIZET2NUM(bytes);
}

static VALUE
on_push_raises(VALUE self, VALUE chunk)
{
	put_raises(open_raises(self), chunk);
	return self;
}

/* The request's body: it was complete before the application was called. */
static VALUE
on_read_raises(int argc, VALUE *argv, VALUE self)
{
	struct call *call = hijack_call_raises(self);
	VALUE input = rb_hash_lookup(call->env, keys_get()->rack_input);

	return rb_funcallv(input, keys_get()->id_read, argc, argv);
}

static VALUE
on_flush_raises(VALUE self)
{
	open_raises(self);
	return self;
}

static VALUE
on_close_raises(VALUE self)
{
	rb_ivar_set(self, is_closed, Qtrue);
	return Qnil;
}

static VALUE
on_close_read_raises(VALUE self)
{
	(void)self;
	return Qnil;
}

static VALUE
on_is_closed_raises(VALUE self)
{
	return RTEST(rb_ivar_get(self, is_closed)) ? Qtrue : Qfalse;
}

VALUE
stream_object_raises(struct call *call)
{
	return hijack_wrap_raises(stream_class, call);
}

VALUE
stream_open_raises(VALUE unused)
{
	VALUE owner = rb_define_module("Reforkd");

	(void)unused;
	is_closed = rb_intern("@closed");
	stream_class = rb_define_class_under(owner, "Stream", rb_cObject);
	rb_undef_alloc_func(stream_class);
	rb_define_method(stream_class, "write", on_write_raises, -1);
	rb_define_method(stream_class, "<<", on_push_raises, 1);
	rb_define_method(stream_class, "read", on_read_raises, -1);
	rb_define_method(stream_class, "flush", on_flush_raises, 0);
	rb_define_method(stream_class, "close", on_close_raises, 0);
	rb_define_method(stream_class, "close_write", on_close_raises, 0);
	rb_define_method(stream_class, "close_read", on_close_read_raises, 0);
	rb_define_method(stream_class, "closed?", on_is_closed_raises, 0);
	return Qnil;
}
