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

struct owner {
	uid_t uid;
	gid_t gid;
};

static VALUE
give_raises(VALUE p)
{
	const struct owner *to = (const struct owner *)p;

	return rb_funcall(rb_path2class("Reforkd::Logs"), rb_intern("give"), 2,
	    UIDT2NUM(to->uid), GIDT2NUM(to->gid));
}

int
reopen_give(uid_t uid, gid_t gid)
{
	struct owner to = { uid, gid };
	struct ruby_error why;

	if (ruby_try(give_raises, &to, &why) < 0) {
		ruby_error_log("giving the logs to the worker's user", &why);
		return -ECANCELED;
	}
	return 0;
}
