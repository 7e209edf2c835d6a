#include "ruby/names.h"

#include <ruby/encoding.h>

VALUE
names_string_raises(const char *text)
{
	VALUE str = rb_enc_interned_str_cstr(text, rb_utf8_encoding());

	rb_gc_register_mark_object(str);
	return str;
}

VALUE
names_symbol_raises(const char *text)
{
	return ID2SYM(rb_intern(text));
}

static VALUE
class_raises(VALUE p)
{
	return rb_path2class((const char *)p);
}

VALUE
names_class_raises(const char *path)
{
	int state = 0;
	char name[128];
	VALUE found;
	size_t i;

	for (i = 0; i < sizeof(name) - 1 && path[i] != '\0'; i++)
		name[i] = path[i];
	name[i] = '\0';
	found = rb_protect(class_raises, (VALUE)name, &state);
	if (state == 0)
		return found;
	rb_set_errinfo(Qnil);
	return Qnil;
}
