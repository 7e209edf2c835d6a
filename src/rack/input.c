/* input.c - request bodies as Ruby sees them. */
#include "rack/input.h"

#include <unistd.h>

#include "rack/call.h"
#include "rack/keys.h"
#include "rack/reader.h"

static VALUE none; /* Reforkd::NoInput, shared by all requests without a body */
static VALUE string_io; /* the class */

VALUE
input_open_raises(VALUE unused)
{
	(void)unused;
	if (string_io != 0)
		return Qnil;
	rb_require("stringio");
	none =
	    rb_funcall(rb_path2class("Reforkd::NoInput"), rb_intern("new"), 0);
	rb_gc_register_mark_object(none);
	string_io = rb_path2class("StringIO");
	rb_gc_register_mark_object(string_io);
	return Qnil;
}

VALUE
input_none(void)
{
	return none;
}

VALUE
input_build_raises(struct call *call)
{
	struct request *req = &call->conn->req;
	VALUE args[2];

	if (req->is_streamed)
		return reader_build_raises(call);
	if (req->body_len == 0)
		return none;
	if (req->file < 0) {
		args[0] = rb_str_new(req->body.data, (long)req->body.len);
		return rb_class_new_instance(1, args, string_io);
	}
	if (lseek(req->file, 0, SEEK_SET) < 0)
		rb_sys_fail("lseek");
	args[0] = INT2FIX(req->file);
	args[1] = rb_str_new_cstr("r+b");
	call->input = rb_funcallv(rb_cFile, keys_get()->id_for_fd, 2, args);
	req->file = -1;
	return call->input;
}

/* Not left to the collector: large uploads would pile up on the disk. */
void
input_close_raises(struct call *call)
{
	VALUE io = call->input;

	call->input = Qnil;
	if (!NIL_P(io))
		rb_io_close(io);
}
