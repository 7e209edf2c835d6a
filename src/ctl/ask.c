/*
 * ask.c - one question to a master.
 */
#include "ctl/ask.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctl/client.h"
#include "ctl/command.h"

enum exit_code
ask_code(int error)
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

/* A worker that has not done what it was asked. */
static void
silent(const struct record *record)
{
	const char *role = record_get(record, "role");
	const char *slot = record_get(record, "slot");
	const char *why = record_get(record, "why");

	(void)fprintf(stderr, "reforkctl: %s%s%s: %s\n",
	    role != NULL ? role : "", slot != NULL ? " " : "",
	    slot != NULL ? slot : "", why != NULL ? why : "");
}

int
ask(const char *path, const char *request, int timeout_ms, ask_record *take,
    void *arg)
{
	struct fail why = FAIL_INIT;
	struct record record;
	struct client client;
	const char *text = "";
	char *line = NULL;
	int rc = client_open(&client, path, &why), end;

	if (rc == 0)
		rc = client_ask(&client, request, &why);
	while (rc == 0) {
		line = client_line(&client, timeout_ms, &why);
		if (line == NULL || client_is_end(line, &end, &text))
			break;
		if (record_parse(&record, line) < 0)
			continue;
		if (strcmp(record.kind, "silent") == 0)
			silent(&record);
		else
			take(arg, &record);
	}
	if (line == NULL) {
		rc = command_complain(ask_code(why.error), why.text);
	} else if (end != 0) {
		rc = command_complain(EXIT_FAILED, text);
	} else if (*text != '\0') {
		(void)printf("%s\n", text);
	}
	if (client.fd >= 0)
		client_close(&client);
	return rc;
}
