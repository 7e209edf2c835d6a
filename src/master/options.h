/*
 * options.h - the command line: unicorn's options, and reforkd's own few.
 *
 * Runs in:    master, before anything else
 * Owns:       copies of what it keeps
 * After fork: unchanged
 * Raises:     never
 */
#ifndef MASTER_OPTIONS_H
#define MASTER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/fail.h"

#define OPTIONS_LIST_MAX 64

struct options {
	const char *program; /* basename of argv[0]: a personality by name */
	const char *arg0;    /* absolute: what an upgrade executes */
	char *const *args;   /* behind argv[0], ended by NULL */
	const char *cwd;     /* by its symlink, when PWD says so */
	const char *config;  /* -c, NULL = look for config/reforkd.rb */
	const char *rackup;  /* the file behind the options, NULL = config.ru */
	const char *listen[OPTIONS_LIST_MAX];
	size_t listens;
	const char *host; /* -o */
	const char *port; /* -p */
	const char *env;  /* -E */
	const char *pid;  /* -P */
	const char *path; /* unicorn_rails: where the application is mounted */
	const char *personality;
	/* Passed to Ruby as they are: -I, -r, -e, -w, -d. */
	const char *ruby[2 * OPTIONS_LIST_MAX];
	size_t rubies;
	bool daemonize;
	bool no_default_middleware;
	bool check; /* -t */
	bool debug;
	int state_fd; /* of the master that this one was; -1 = it begins */
	int ready_fd; /* -D: say READY here; -1 = nobody waits */
};

enum options_next {
	OPTIONS_RUN,
	OPTIONS_DONE,  /* -h, -v: printed, leave with 0 */
	OPTIONS_WRONG, /* printed on stderr, leave with 1 */
};

enum options_next options_parse(struct options *, int argc, char **argv);
/* The arguments as one line, for titles. */
const char *options_text(const struct options *, char *out, size_t cap);
/* The tail of START: "name=value" NUL for each option that was given. */
int options_encode(const struct options *, struct buf *out);

#endif
