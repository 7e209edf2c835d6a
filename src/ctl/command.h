/*
 * command.h - reforkctl's command line.
 *
 * Runs in:    reforkctl
 * Owns:       nothing: it points into argv
 * After fork: does not fork
 * Raises:     never
 */
#ifndef CTL_COMMAND_H
#define CTL_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

/* As reforkctl.8 lists them. */
enum exit_code {
	EXIT_DONE = 0,
	EXIT_FAILED = 1, /* the master said no, or what was asked failed */
	EXIT_USAGE = 2,
	EXIT_NONE = 3,    /* no master, or not exactly one */
	EXIT_DENIED = 4,  /* no permission */
	EXIT_TIMEOUT = 5, /* it does not answer */
};

struct command {
	const char *config, *path;
	int64_t pid;    /* 0 = not given */
	int64_t worker; /* a slot, -1 = not given */
	double every_s; /* 0 = once */
	bool json, csv, no_wait, one_less;
	int lease_at; /* argv[lease_at] is "lease": the rest is ctl/lease.h's */
	char request[256];
	char verb[32]; /* "" = list the masters */
};

/* -1 = go on, else the exit code; what was wrong has been said. */
int command_parse(struct command *, int argc, char **argv);
/* "reforkctl: TEXT" on stderr; returns the code. */
int command_complain(enum exit_code, const char *text);

#endif
