/*
 * main.c - reforkctl: finds a master, asks it, prints what it says.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <reforkd/version.h>

#include "base/record.h"
#include "ctl/client.h"
#include "ctl/find.h"
#include "ctl/report.h"
#include "ctl/table.h"

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
	int64_t pid; /* 0 = not given */
	bool json, no_wait, one_less;
	char request[256];
	char verb[32]; /* "" = list the masters */
};

static const struct verb {
	const char *name;
	bool slot, scale, waits, now;
	const char *help;
} verbs[] = {
#define VERB(name, slot, scale, waits, now, help)                              \
	{ #name, slot, scale, waits, now, help },
#include <reforkd/verbs.def>
#undef VERB
};

#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

static void
usage(FILE *out)
{
	size_t i;

	(void)fprintf(out, "usage: reforkctl [-c FILE | -s SOCKET | -p PID] "
			   "[VERB [ARGUMENT]]\n"
			   "\n");
	for (i = 0; i < VERBS; i++)
		(void)fprintf(out, "  %-8s %-10s %s\n", verbs[i].name,
		    verbs[i].slot    ? "[SLOT]"
		    : verbs[i].scale ? "+1|-1|N"
		    : verbs[i].now   ? "[now]"
				     : "",
		    verbs[i].help);
	(void)fprintf(out,
	    "\n"
	    "  -c, --config FILE    the master that runs this configuration\n"
	    "  -s, --socket SOCKET  the master at this control socket\n"
	    "  -p, --pid PID        the master with this process id\n"
	    "  -j, --json           status, deaths, pids, version as JSON\n"
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

static int
complain(enum exit_code code, const char *text)
{
	(void)fprintf(stderr, "reforkctl: %s\n", text);
	return (int)code;
}

static enum exit_code
code_of(int error)
{
	switch (error) {
	case EACCES:
	case EPERM:
		return EXIT_DENIED;
	case ETIMEDOUT:
		return EXIT_TIMEOUT;
	case ECONNRESET:
	case EPROTO:
		return EXIT_FAILED;
	default:
		return EXIT_NONE;
	}
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
		    i > 2)
			return complain(EXIT_USAGE, "wrong argument");
		len += (size_t)snprintf(command->request + len,
		    sizeof(command->request) - len - 16, "%s%s",
		    i > 0 ? " " : "", argv[i]);
		if (len >= sizeof(command->request) - 16)
			return complain(EXIT_USAGE, "too many arguments");
	}
	if (command->no_wait && !verb->waits)
		return complain(
		    EXIT_USAGE, "--no-wait goes with refork and reload");
	(void)snprintf(command->request + len, sizeof(command->request) - len,
	    "%s%s", command->one_less ? " -1" : "",
	    command->no_wait ? " no-wait" : "");
	return EXIT_DONE;
}

/* -1 = go on, else the exit code. */
static int
command_parse(struct command *command, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "socket", required_argument, NULL, 's' },
		{ "pid", required_argument, NULL, 'p' },
		{ "json", no_argument, NULL, 'j' },
		{ "no-wait", no_argument, NULL, 'n' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int option, rc;

	while ((option = getopt_long(argc, argv, "c:s:p:jnhV1", longs, NULL)) !=
	       -1) {
		if (option == 'h') {
			usage(stdout);
			return EXIT_DONE;
		}
		if (option == 'V') {
			(void)printf("reforkctl %s\n", RFK_VERSION);
			return EXIT_DONE;
		}
		if (!option_take(command, option)) {
			usage(stderr);
			return EXIT_USAGE;
		}
	}
	if ((command->config != NULL) + (command->path != NULL) +
		(command->pid != 0) >
	    1)
		return complain(EXIT_USAGE, "only one of -c, -s and -p");
	rc = request_make(command, argc - optind, argv + optind);
	return rc == EXIT_DONE ? -1 : rc;
}

/* Asking */

static int
ask(const struct command *command, const char *path, json_t *report)
{
	/* Outcomes take as long as an application takes to boot. */
	const bool waits = strncmp(command->verb, "re", 2) == 0 &&
			   strcmp(command->verb, "reopen") != 0;
	struct fail why = FAIL_INIT;
	struct record record;
	struct client client;
	const char *text = "";
	char *line = NULL;
	int rc = client_open(&client, path, &why), end;

	if (rc == 0)
		rc = client_ask(&client, command->request, &why);
	while (rc == 0) {
		line =
		    client_line(&client, waits ? -1 : CLIENT_TIMEOUT_MS, &why);
		if (line == NULL || client_is_end(line, &end, &text))
			break;
		if (record_parse(&record, line) == 0)
			report_add(report, &record);
	}
	if (line == NULL) {
		rc = complain(code_of(why.error), why.text);
	} else if (end != 0) {
		rc = complain(EXIT_FAILED, text);
	} else if (*text != '\0') {
		(void)printf("%s\n", text);
	}
	if (client.fd >= 0)
		client_close(&client);
	return rc;
}

static void
print(const struct command *command, json_t *report)
{
	if (strcmp(command->verb, "status") == 0)
		report_measure(report);
	if (command->json && json_object_size(report) > 0) {
		(void)json_dumpf(report, stdout, JSON_INDENT(2));
		(void)printf("\n");
	} else if (strcmp(command->verb, "status") == 0) {
		table_status(report);
	} else if (strcmp(command->verb, "deaths") == 0) {
		table_deaths(report);
	} else if (strcmp(command->verb, "pids") == 0) {
		table_pids(report);
	} else if (strcmp(command->verb, "version") == 0) {
		(void)printf("reforkd %s\n",
		    json_string_value(json_object_get(
			json_object_get(report, "version"), "reforkd")));
	}
}

/* Which master; the list is left with exactly one, or the reason printed. */
static int
choose(const struct command *command, struct find *f)
{
	struct fail why = FAIL_INIT;
	int rc;

	if (command->path != NULL)
		return find_by_path(f, command->path, &why) < 0
			   ? complain(EXIT_NONE, why.text)
			   : EXIT_DONE;
	if (command->config != NULL)
		rc = find_by_config(f, command->config, &why);
	else if (command->pid != 0)
		rc = find_by_pid(f, (pid_t)command->pid, &why);
	else
		rc = find_all(f, &why);
	if (rc == 0)
		find_ask(f);
	if (rc == 0 && f->n > 0)
		return EXIT_DONE;
	rc = rc < 0 && f->error != ETIMEDOUT && f->error != EACCES ? why.error
								   : f->error;
	(void)complain(EXIT_NONE, why.text[0] != '\0' ? why.text
				  : f->tried.len == 0
				      ? "no master of this user is running"
				      : "no master answers. Tried:");
	if (f->tried.len > 0)
		(void)fprintf(stderr, "%s", buf_cstr(&f->tried));
	return (int)code_of(rc == ECONNREFUSED ? ENOENT : rc);
}

static int
run(const struct command *command)
{
	static struct find f;
	json_t *report;
	int rc = choose(command, &f);

	if (rc != EXIT_DONE)
		goto out;
	if (command->verb[0] == '\0') {
		find_ask(&f);
		table_masters(&f);
		goto out;
	}
	if (f.n > 1) {
		rc = complain(EXIT_NONE,
		    "there are several masters, name one with -p, -c or -s:");
		table_masters(&f);
		goto out;
	}
	report = report_new();
	rc = ask(command, f.at[0].path, report);
	if (rc == EXIT_DONE)
		print(command, report);
	json_decref(report);
out:
	find_fini(&f);
	return rc;
}

int
main(int argc, char **argv)
{
	struct command command = { 0 };
	int rc = command_parse(&command, argc, argv);

	return rc >= 0 ? rc : run(&command);
}
