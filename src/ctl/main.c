/*
 * main.c - reforkctl: finds a master, asks it, prints what it says.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "ctl/ask.h"
#include "ctl/command.h"
#include "ctl/counsel.h"
#include "ctl/dump.h"
#include "ctl/find.h"
#include "ctl/lease.h"
#include "ctl/report.h"
#include "ctl/table.h"

/* Asking */

static void
take(void *report, const struct record *record)
{
	report_add(report, record);
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
			   ? command_complain(EXIT_NONE, why.text)
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
	if (why.text[0] == '\0')
		(void)fail_set(&why, 0, "%s",
		    f->tried.len == 0 ? "no master of this user is running"
				      : "no master answers.");
	(void)fprintf(stderr, "reforkctl: %s%s\n%s", why.text,
	    f->tried.len > 0 ? " Tried:" : "",
	    f->tried.len > 0 ? buf_cstr(&f->tried) : "");
	return (int)ask_code(rc == ECONNREFUSED ? ENOENT : rc);
}

/* Outcomes take as long as an application takes to boot. */
static int
report(const struct command *command, const char *path)
{
	const bool waits = strncmp(command->verb, "re", 2) == 0 &&
			   strcmp(command->verb, "reopen") != 0;
	json_t *json = report_new();
	int rc = ask(path, command->request, waits ? ASK_FOR_EVER : ASK_SOON_MS,
	    take, json);

	if (rc == EXIT_DONE)
		print(command, json);
	json_decref(json);
	return rc;
}

static int
run(const struct command *command)
{
	static struct find f;
	int rc = choose(command, &f);

	if (rc != EXIT_DONE)
		goto out;
	if (command->verb[0] == '\0') {
		find_ask(&f);
		table_masters(&f);
		goto out;
	}
	if (f.n > 1) {
		rc = command_complain(EXIT_NONE,
		    "there are several masters, name one with -p, -c or -s:");
		table_masters(&f);
		goto out;
	}
	if (strcmp(command->verb, "dumpstat") == 0)
		rc = dump_stat(command, f.at[0].path);
	else if (strcmp(command->verb, "advise") == 0)
		rc = counsel(command, f.at[0].path);
	else if (strcmp(command->verb, "gclog") == 0)
		rc = dump_gclog(command, f.at[0].path);
	else
		rc = report(command, f.at[0].path);
out:
	find_fini(&f);
	return rc;
}

int
main(int argc, char **argv)
{
	struct command command = { 0 };
	int rc = command_parse(&command, argc, argv);

	if (rc < 0 && command.lease_at > 0)
		return lease_main(
		    &command, argc - command.lease_at, argv + command.lease_at);

	return rc >= 0 ? rc : run(&command);
}
