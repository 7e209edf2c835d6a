#include "ruby/try.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "ruby/hooks.h"

struct describing {
	VALUE err;
	struct ruby_error *why;
};

/* Cuts at cap; a NUL inside becomes '?', so that C strings stay whole. */
static void
text_copy_raises(char *out, size_t cap, VALUE text)
{
	VALUE str = rb_obj_as_string(text);
	size_t len = (size_t)RSTRING_LEN(str);
	size_t i;

	if (len >= cap)
		len = cap - 1;
	memcpy(out, RSTRING_PTR(str), len);
	for (i = 0; i < len; i++)
		if (out[i] == '\0')
			out[i] = '?';
	out[len] = '\0';
	RB_GC_GUARD(str);
}

/*
 * Also what stands between a require and the file it was for, and the -e by
 * which the extension is started.
 */
static bool
is_ours(const char *line)
{
	return strncmp(line, "<reforkd>", 9) == 0 ||
	       strncmp(line, "-e:", 3) == 0 ||
	       strncmp(line, "<internal:", 10) == 0 ||
	       strstr(line, "/rubygems/") != NULL ||
	       strstr(line, "/bundled_gems.rb:") != NULL;
}

/* "file:line" of "file:line:in 'method'"; a file may have colons itself. */
static void
where_from(char *out, size_t cap, const char *line)
{
	const char *end = strstr(line, ":in ");
	size_t len = end != NULL ? (size_t)(end - line) : strlen(line);

	if (len >= cap)
		len = cap - 1;
	memcpy(out, line, len);
	out[len] = '\0';
}

static void
backtrace_raises(VALUE err, struct ruby_error *why)
{
	VALUE lines = rb_funcall(err, rb_intern("backtrace"), 0);
	size_t used = 0;
	long i;

	if (!RB_TYPE_P(lines, T_ARRAY))
		return;
	for (i = 0; i < RARRAY_LEN(lines); i++) {
		char line[512];
		size_t len;

		text_copy_raises(line, sizeof(line), rb_ary_entry(lines, i));
		if (why->where[0] == '\0' && !is_ours(line))
			where_from(why->where, sizeof(why->where), line);
		len = strlen(line);
		if (used + len + 2 > sizeof(why->backtrace))
			break;
		memcpy(why->backtrace + used, line, len);
		used += len;
		why->backtrace[used++] = '\n';
		why->backtrace[used] = '\0';
	}
}

static VALUE
describe_raises(VALUE p)
{
	struct describing *d = (struct describing *)p;

	text_copy_raises(d->why->class_name, sizeof(d->why->class_name),
	    rb_class_name(rb_obj_class(d->err)));
	if (rb_obj_is_kind_of(d->err, rb_eSystemExit)) {
		d->why->is_exit = true;
		d->why->status =
		    NUM2INT(rb_funcall(d->err, rb_intern("status"), 0));
	} else if (rb_obj_is_kind_of(d->err, rb_eSignal)) {
		d->why->is_signal = true;
		d->why->status =
		    NUM2INT(rb_funcall(d->err, rb_intern("signo"), 0));
	}
	backtrace_raises(d->err, d->why);
	text_copy_raises(d->why->message, sizeof(d->why->message),
	    rb_funcall(d->err, rb_intern("message"), 0));
	return Qnil;
}

/* A killed thread and a stray throw leave something that is no exception. */
static bool
is_exception(VALUE err)
{
	return !RB_SPECIAL_CONST_P(err) && RB_BUILTIN_TYPE(err) != T_IMEMO &&
	       RB_TEST(rb_obj_is_kind_of(err, rb_eException));
}

static void
describe(VALUE err, struct ruby_error *why)
{
	struct describing d = { .err = err, .why = why };
	int state = 0;

	if (!is_exception(err)) {
		snprintf(why->class_name, sizeof(why->class_name), "%s",
		    "Thread#kill");
		snprintf(why->message, sizeof(why->message), "%s",
		    "the main thread was killed, or a jump left its block");
		return;
	}
	rb_protect(describe_raises, (VALUE)&d, &state);
	if (state != 0) {
		rb_set_errinfo(Qnil);
		if (why->message[0] == '\0')
			snprintf(why->message, sizeof(why->message), "%s",
			    "(its message raised another exception)");
	}
}

int
ruby_try(VALUE (*fn_raises)(VALUE), void *arg, struct ruby_error *why)
{
	int state = 0;
	VALUE err;

	rb_protect(fn_raises, (VALUE)arg, &state);
	if (state == 0)
		return 0;
	err = rb_errinfo();
	rb_set_errinfo(Qnil);
	if (why != NULL) {
		memset(why, 0, sizeof(*why));
		describe(err, why);
	}
	RB_GC_GUARD(err);
	return -ECANCELED;
}

/* Each line goes to the file's own logger, or to stderr when there is none. */
static void
put(const char *text)
{
	if (hooks_log(LOG_LV_ERROR, text, strlen(text), 0, NULL) != 0)
		log_error("%s", text);
}

static void
put_lines(char *text)
{
	char *save = NULL;
	char *line;

	for (line = strtok_r(text, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save))
		put(line);
}

void
ruby_error_log_as(const char *head, const struct ruby_error *why)
{
	char rest[sizeof(why->backtrace)];
	const char *end = strchr(why->message, '\n');

	put(head);
	if (end != NULL) {
		snprintf(rest, sizeof(rest), "%s", end + 1);
		put_lines(rest);
	}
	snprintf(rest, sizeof(rest), "%s", why->backtrace);
	put_lines(rest);
}

struct dumping {
	const char *text;
	char out[2 * sizeof(((struct ruby_error *)NULL)->message)];
};

static VALUE
dump_raises(VALUE p)
{
	struct dumping *d = (struct dumping *)p;
	VALUE text = rb_utf8_str_new_cstr(d->text);

	text_copy_raises(
	    d->out, sizeof(d->out), rb_funcall(text, rb_intern("dump"), 0));
	return Qnil;
}

/* unicorn's rule: what would break the line is shown as String#dump does. */
static bool
has_control(const char *text)
{
	for (; *text != '\0'; text++)
		if (((unsigned char)*text < 0x20) || *text == 0x7f)
			return true;
	return false;
}

void
ruby_error_log(const char *what, const struct ruby_error *why)
{
	struct dumping d = { .text = why->message };
	char line[sizeof(d.out) + sizeof(why->class_name) + 128];
	char backtrace[sizeof(why->backtrace)];

	if (has_control(why->message) && ruby_try(dump_raises, &d, NULL) == 0)
		snprintf(line, sizeof(line), "%s: %s (%s)", what, d.out,
		    why->class_name);
	else
		snprintf(line, sizeof(line), "%s: %s (%s)", what, why->message,
		    why->class_name);
	put(line);
	snprintf(backtrace, sizeof(backtrace), "%s", why->backtrace);
	put_lines(backtrace);
}
