/*
 * command.c - the command line, checked by verbs.def.
 */
#include "ctl/command.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <reforkd/version.h>

static const struct verb {
	const char *name;
	bool slot, scale, waits;
	const char *words;
	const char *help;
} verbs[] = {
#define VERB(name, slot, scale, waits, words, help)                            \
	{ #name, slot, scale, waits, words, help },
#include <reforkd/verbs.def>
#undef VERB
	/* What reforkctl makes of other answers and of /proc. */
	{ "advise", false, false, false, "[POOL]",
	    "what the memory is made of, and the collector's settings" },
	{ "lease", false, false, false, NULL,
	    "a warm worker as this process's program (reforkctl.8)" },
};

#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

static void
usage(FILE *out)
{
	char argument[32];
	size_t i;

	(void)fprintf(out, "usage: reforkctl [-c FILE | -s SOCKET | -p PID] "
			   "[VERB [ARGUMENT]]\n"
			   "\n");
	for (i = 0; i < VERBS; i++) {
		(void)snprintf(argument, sizeof(argument), "%s%s%s%s%s",
		    verbs[i].slot || verbs[i].scale || verbs[i].waits
			? "[POOL] "
			: "",
		    verbs[i].words != NULL ? verbs[i].words : "",
		    verbs[i].words != NULL && verbs[i].slot ? " " : "",
		    verbs[i].slot ? "[SLOT]" : "",
		    verbs[i].scale ? "+1|-1|N" : "");
		(void)fprintf(out, "  %-8s %-21s %s\n", verbs[i].name, argument,
		    verbs[i].help);
	}
	(void)fprintf(out,
	    "\n"
	    "  -c, --config FILE    the master that runs this configuration\n"
	    "  -s, --socket SOCKET  the master at this control socket\n"
	    "  -p, --pid PID        the master with this process id\n"
	    "  -j, --json           status, deaths, pids, version, dumpstat, "
	    "advise as JSON\n"
	    "  -w, --worker SLOT    the same as a SLOT after the verb\n"
	    "  -e, --every SECONDS  dumpstat: again and again\n"
	    "  -C, --csv            dumpstat: a line for each process\n"
	    "  -n, --no-wait        refork, reload: do not wait for the "
	    "outcome\n"
	    "  -h, --help           this text\n"
	    "  -V, --version        the version of reforkctl\n"
	    "\n"
	    "Without -c, -s and -p: the only master of this user; without a "
	    "verb,\n"
	    "a list of them. Exit status: 0 done, 1 failed, 2 usage, 3 no "
	    "such\n"
	    "master, 4 permission denied, 5 no answer.\n");
}

int
command_complain(enum exit_code code, const char *text)
{
	(void)fprintf(stderr, "reforkctl: %s\n", text);
	return (int)code;
}

/* The command line */

static bool
option_take(struct command *command, int option)
{
	char *end;

	switch (option) {
	case 'c':
		command->config = optarg;
		return true;
	case 's':
		command->path = optarg;
		return true;
	case 'p':
		command->pid = strtoll(optarg, &end, 10);
		return *optarg != '\0' && *end == '\0' && command->pid > 0 &&
		       command->pid <= INT32_MAX;
	case 'w':
		command->worker = strtoll(optarg, &end, 10);
		return *optarg != '\0' && *end == '\0' &&
		       command->worker >= 0 && command->worker <= INT32_MAX;
	case 'e':
		command->every_s = strtod(optarg, &end);
		return *optarg != '\0' && *end == '\0' &&
		       command->every_s >= 0.1 && command->every_s <= 86400.;
	case 'C':
		command->csv = true;
		return true;
	case 'j':
		command->json = true;
		return true;
	case 'n':
		command->no_wait = true;
		return true;
	case '1': /* scale -1 looks like an option */
		command->one_less = true;
		return true;
	default:
		return false;
	}
}

/* getopt has said what it does not know; a value that is none is ours to say.
 */
static void
option_complain(int option)
{
	const char *wants = option == 'e'   ? "--every: seconds, 0.1 to 86400"
			    : option == 'w' ? "--worker: the number of a slot"
			    : option == 'p' ? "--pid: the number of a process"
					    : NULL;

	if (wants != NULL)
		(void)fprintf(
		    stderr, "reforkctl: %s, not \"%s\"\n", wants, optarg);
	else
		usage(stderr);
}

static const struct verb *
verb_of(const char *name)
{
	size_t i;

	for (i = 0; i < VERBS; i++)
		if (strcmp(name, verbs[i].name) == 0)
			return &verbs[i];
	return NULL;
}

/* The verb and its arguments as one line; the master checks them. */
static int
request_make(struct command *command, int argc, char **argv)
{
	const struct verb *verb = argc > 0 ? verb_of(argv[0]) : NULL;
	char slot[32] = "";
	size_t len = 0;
	int i;

	if (argc == 0)
		return EXIT_DONE;
	if (verb == NULL) {
		(void)fprintf(stderr, "reforkctl: unknown verb %s\n", argv[0]);
		usage(stderr);
		return EXIT_USAGE;
	}
	(void)snprintf(command->verb, sizeof(command->verb), "%s", argv[0]);
	for (i = 0; i < argc; i++) {
		if (strpbrk(argv[i], " \n") != NULL || strlen(argv[i]) > 100 ||
		    i > 3)
			return command_complain(EXIT_USAGE, "wrong argument");
		len += (size_t)snprintf(command->request + len,
		    sizeof(command->request) - len - 16, "%s%s",
		    i > 0 ? " " : "", argv[i]);
		if (len >= sizeof(command->request) - 16)
			return command_complain(
			    EXIT_USAGE, "too many arguments");
	}
	if (command->worker >= 0 && !verb->slot)
		return command_complain(
		    EXIT_USAGE, "--worker goes with verbs that take a slot");
	if ((command->every_s > 0 || command->csv) &&
	    strcmp(verb->name, "dumpstat") != 0 &&
	    strcmp(verb->name, "gclog") != 0)
		return command_complain(
		    EXIT_USAGE, "--every and --csv go with dumpstat");
	if (command->no_wait && !verb->waits)
		return command_complain(
		    EXIT_USAGE, "--no-wait goes with refork and reload");
	if (command->worker >= 0)
		(void)snprintf(
		    slot, sizeof(slot), " %lld", (long long)command->worker);
	(void)snprintf(command->request + len, sizeof(command->request) - len,
	    "%s%s%s", slot, command->one_less ? " -1" : "",
	    command->no_wait ? " no-wait" : "");
	return EXIT_DONE;
}

static const struct option longs[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "socket", required_argument, NULL, 's' },
	{ "pid", required_argument, NULL, 'p' },
	{ "worker", required_argument, NULL, 'w' },
	{ "every", required_argument, NULL, 'e' },
	{ "csv", no_argument, NULL, 'C' },
	{ "json", no_argument, NULL, 'j' },
	{ "no-wait", no_argument, NULL, 'n' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};
#define SHORTS "c:s:p:w:e:CjnhV1"

/* What follows the word "lease" is not ours: where it stands, or 0. */
static int
lease_at(struct command *command, int argc, char **argv)
{
	bool fine = true;
	int option;

	opterr = 0;
	while (fine && (option = getopt_long(
			    argc, argv, "+" SHORTS, longs, NULL)) != -1)
		fine = option_take(command, option);
	opterr = 1;
	if (fine && optind < argc && strcmp(argv[optind], "lease") == 0)
		return optind;
	optind = 0; /* from the beginning */
	memset(command, 0, sizeof(*command));
	return 0;
}

int
command_parse(struct command *command, int argc, char **argv)
{
	int option, rc;

	command->lease_at = lease_at(command, argc, argv);
	if (command->lease_at > 0)
		return -1;
	command->worker = -1;
	while ((option = getopt_long(argc, argv, SHORTS, longs, NULL)) != -1) {
		if (option == 'h') {
			usage(stdout);
			return EXIT_DONE;
		}
		if (option == 'V') {
			(void)printf("reforkctl %s\n", RFK_VERSION);
			return EXIT_DONE;
		}
		if (!option_take(command, option)) {
			option_complain(option);
			return EXIT_USAGE;
		}
	}
	if ((command->config != NULL) + (command->path != NULL) +
		(command->pid != 0) >
	    1)
		return command_complain(
		    EXIT_USAGE, "only one of -c, -s and -p");
	rc = request_make(command, argc - optind, argv + optind);
	return rc == EXIT_DONE ? -1 : rc;
}
