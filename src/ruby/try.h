/*
 * try.h - the one door to Ruby: call a function that may raise, get an errno.
 *
 * A function whose name ends in _raises may longjmp at any Ruby call; it owns
 * nothing, and is reached through ruby_try or from another *_raises. Outside
 * src/ruby/ only such functions call rb_*.
 *
 * Runs in:    mold, worker
 * Owns:       nothing; the texts of an error lie inside it
 * After fork: unchanged
 * Raises:     never (that is its purpose)
 */
#ifndef RUBY_TRY_H
#define RUBY_TRY_H

#include <stdbool.h>

#include <ruby/ruby.h>

struct ruby_error {
	bool is_exit;   /* SystemExit: the caller decides */
	bool is_signal; /* SignalException, Interrupt: likewise */
	int status;     /* SystemExit's status, SignalException's signo */
	char class_name[128];
	char message[1024];
	char where[512]; /* "file:line" of the first frame outside reforkd, or
			    "" */
	char backtrace[4096]; /* lines, cut */
};

/*
 * 0, or -ECANCELED with *why filled (why may be NULL). errinfo is nil
 * afterwards. #message and #backtrace are application code and run protected.
 */
int ruby_try(VALUE (*fn_raises)(VALUE), void *arg, struct ruby_error *why);

/* One "app error: MESSAGE (CLASS)" line and the backtrace, at ERROR. */
void ruby_error_log(const char *what, const struct ruby_error *);
/* The same with a first line of the caller's. */
void ruby_error_log_as(const char *head, const struct ruby_error *);

#endif
