/*
 * extension.c - the front that a Ruby loads: reforkd_mold.so.
 *
 *   ruby -r/PATH/reforkd_mold.so [options] -e Reforkd.run
 *
 * The gem ships it: no libruby is linked, so that any Ruby does, one without a
 * shared library, of rbenv or of asdf, with the bundle that it was started in.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ruby/ruby.h>
#include <ruby/version.h>

#include "base/log.h"
#include "mold/trampoline.h"
#include "ruby/try.h"
#include "ruby/vm.h"

__attribute__((visibility("default"))) void Init_reforkd_mold(void);

/* Init and run are two calls of Ruby's, with nothing to carry it between. */
static struct trampoline trampoline;
static pid_t waits_in; /* for Reforkd.run; 0 once that was called */

/* As in main.c nothing of Ruby's is left when the status is known. */
static VALUE
run_raises(VALUE module)
{
	(void)module;
	waits_in = 0;
	vm_claim();
	exit(trampoline_run(&trampoline));
}

/* -r or -e has raised, exited, or was no Ruby; not in what it forked. */
static void
end_raises(VALUE unused)
{
	(void)unused;
	if (waits_in == getpid())
		trampoline_stillborn(&trampoline);
}

/* compat/ lies beside the file that this is. */
static VALUE
define_raises(VALUE path)
{
	VALUE module = rb_define_module("Reforkd");
	const char *name = (const char *)path;
	const char *slash = strrchr(name, '/');

	rb_define_const(
	    module, "HOME", rb_str_new(name, slash != NULL ? slash - name : 0));
	rb_define_singleton_method(module, "run", run_raises, 0);
	rb_set_end_proc(end_raises, Qnil);
	return Qnil;
}

void
Init_reforkd_mold(void)
{
	const int *api = ruby_api_version;
	struct ruby_error why;
	Dl_info info;
	int rc = trampoline_init(&trampoline);

	if (rc != 0)
		exit(rc);
	if (api[0] != RUBY_API_VERSION_MAJOR ||
	    api[1] != RUBY_API_VERSION_MINOR) {
		log_error("reforkd_mold.so was built for Ruby %d.%d and this "
			  "is %d.%d: install reforkd for this one",
		    RUBY_API_VERSION_MAJOR, RUBY_API_VERSION_MINOR, api[0],
		    api[1]);
		trampoline_stillborn(&trampoline);
		exit(1);
	}
	waits_in = getpid();
	if (dladdr((void *)(uintptr_t)&Init_reforkd_mold, &info) == 0 ||
	    ruby_try(define_raises, (void *)(uintptr_t)info.dli_fname, &why) <
		0) {
		log_error("reforkd_mold.so cannot be defined");
		exit(1);
	}
}
