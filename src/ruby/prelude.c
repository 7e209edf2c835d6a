#include "ruby/prelude.h"

#include <stdio.h>

#include <ruby/encoding.h>
#include <ruby/ruby.h>

#include "ruby/try.h"

static VALUE
load_raises(VALUE p)
{
	const struct prelude *part = (const struct prelude *)p;
	VALUE vm = rb_const_get(rb_cObject, rb_intern("RubyVM"));
	VALUE iseq = rb_const_get(vm, rb_intern("InstructionSequence"));
	VALUE text = rb_utf8_str_new((const char *)part->text, (long)part->len);
	VALUE name = rb_sprintf("<reforkd>/%s", part->name);
	VALUE code =
	    rb_funcall(iseq, rb_intern("compile"), 3, text, name, name);

	return rb_funcall(code, rb_intern("eval"), 0);
}

int
prelude_load(const struct prelude *part, struct ruby_error *why)
{
	struct prelude copy = *part;

	return ruby_try(load_raises, &copy, why);
}
