/*
 * front.c - another Ruby: found by mold/ruby.rb, started with a command line
 * like the one that master/spawn.c makes.
 */
#include "mold/front.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "mold/again.h"
#include "mold/boot.h"
#include "ruby/hooks.h"
#include "ruby/try.h"

#define EXTENSION_NAME "/reforkd_mold.so"

struct finding {
	struct front *front;
	int rc;
};

static void
text_raises(char *out, size_t cap, VALUE text)
{
	const char *value = StringValueCStr(text);

	if (strlen(value) >= cap)
		rb_raise(rb_eArgError, "too long: %s", value);
	memcpy(out, value, strlen(value) + 1);
}

static VALUE
find_raises(VALUE p)
{
	struct finding *f = (struct finding *)p;
	VALUE pair = rb_funcall(hooks_config(), rb_intern("front"), 0);

	if (NIL_P(pair))
		return Qnil;
	text_raises(f->front->ruby, PATH_MAX, rb_ary_entry(pair, 0));
	text_raises(f->front->extension, PATH_MAX, rb_ary_entry(pair, 1));
	f->rc = 1;
	return Qnil;
}

int
front_find(struct front *front, struct ruby_error *why)
{
	struct finding f = { .front = front };
	int rc = ruby_try(find_raises, &f, why);

	return rc < 0 ? rc : f.rc;
}

int
front_start(struct self *self, const struct start *start, int board)
{
	static struct front front;
	struct ruby_error why;
	int rc = start->is_again ? 0 : front_find(&front, &why);

	if (rc < 0)
		return boot_failed(self, "ruby", &why);
	if (again_needed(self, start) || rc == 1)
		again_exec(self, start, rc == 1 ? &front : NULL, board);
	return rc == 0 ? 0
		       : boot_failed_text(self, true,
			     "ruby: the other one cannot be started, the log "
			     "says why");
}

static int
is_extension(const char *path)
{
	size_t len = path != NULL ? strlen(path) : 0;
	size_t end = strlen(EXTENSION_NAME);

	return len > end && strcmp(path + len - end, EXTENSION_NAME) == 0;
}

int
front_argv(struct front *front, char *const *from, char **to, size_t room)
{
	static char dash_r[] = "-r", run[] = "Reforkd.run";
	size_t n = 0, script = 0, i;

	to[n++] = from[0];
	to[n++] = dash_r;
	to[n++] = front->extension;
	/* An extension's own, where this image is one. */
	i = strcmp(from[1] != NULL ? from[1] : "", dash_r) == 0 &&
		    is_extension(from[2])
		? 3
		: 1;
	for (; from[i] != NULL && n + 1 < room; i++) {
		/* The last one before "--" is ours. */
		if (strcmp(from[i], "-e") == 0)
			script = n + 1;
		to[n++] = from[i];
	}
	to[n] = NULL;
	if (from[i] != NULL || script == 0 || script >= n)
		return -E2BIG;
	to[script] = run;
	return 0;
}
