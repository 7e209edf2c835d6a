#include "ruby/reopen.h"

#include <errno.h>

#include <ruby/ruby.h>

#include "ruby/prelude.h"
#include "ruby/try.h"

static const unsigned char reopen_rb[] = {
#include "ruby/reopen.rb.inc"
};

int
reopen_define(struct ruby_error *why)
{
	static const struct prelude part = { "reopen.rb", reopen_rb,
		sizeof(reopen_rb) };

	return prelude_load(&part, why);
}

static VALUE
reopen_raises(VALUE p)
{
	int *count = (int *)p;
	VALUE logs = rb_path2class("Reforkd::Logs");

	*count = NUM2INT(rb_funcall(logs, rb_intern("reopen"), 0));
	return Qnil;
}

int
reopen_logs(void)
{
	struct ruby_error why;
	int count = 0;

	if (ruby_try(reopen_raises, &count, &why) < 0) {
		ruby_error_log("reopening logs", &why);
		return -ECANCELED;
	}
	return count;
}
