/*
 * leaseline.c - one message of the lease protocol.
 */
#include "base/leaseline.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define CLIENT LEASELINE_CLIENT
#define SERVER LEASELINE_SERVER

static const struct row {
	const char *name;
	unsigned int senders;
	int min_fds, max_fds;
	const char *needs, *may;
} rows[LEASELINE_VERBS] = {
#define LEASE_MSG(name, senders, min_fds, max_fds, needs, may)                 \
	[LEASELINE_##name] = { #name, (senders), (min_fds), (max_fds),         \
		(needs), (may) },
#include <reforkd/leases.def>
#undef LEASE_MSG
};

static const struct {
	const char *name;
	int signo;
} signals[] = {
	{ "TERM", SIGTERM },
	{ "INT", SIGINT },
	{ "QUIT", SIGQUIT },
	{ "HUP", SIGHUP },
	{ "KILL", SIGKILL },
	{ "USR1", SIGUSR1 },
	{ "USR2", SIGUSR2 },
	{ "WINCH", SIGWINCH },
	{ "STOP", SIGSTOP },
	{ "TSTP", SIGTSTP },
	{ "CONT", SIGCONT },
	{ "ABRT", SIGABRT },
	{ "SEGV", SIGSEGV },
	{ "BUS", SIGBUS },
	{ "ILL", SIGILL },
	{ "FPE", SIGFPE },
	{ "PIPE", SIGPIPE },
	{ "ALRM", SIGALRM },
	{ "XCPU", SIGXCPU },
	{ "XFSZ", SIGXFSZ },
};
#define SIGNALS (sizeof(signals) / sizeof(signals[0]))

const char *
leaseline_name(enum leaseline_verb verb)
{
	return verb < LEASELINE_VERBS ? rows[verb].name : "?";
}

/* Is `word` one of the words of `list`? */
static bool
has_word(const char *list, const char *word)
{
	size_t len = strlen(word);
	const char *at = list;

	if (strcmp(list, "*") == 0)
		return true;
	while ((at = strstr(at, word)) != NULL) {
		if ((at == list || at[-1] == ' ') &&
		    (at[len] == '\0' || at[len] == ' '))
			return true;
		at += len;
	}
	return false;
}

static bool
is_name(const char *text)
{
	size_t i;

	for (i = 0; text[i] != '\0'; i++)
		if (!((text[i] >= 'a' && text[i] <= 'z') || text[i] == '_' ||
			(i > 0 && text[i] >= '0' && text[i] <= '9')))
			return false;
	return i > 0 && i <= LEASELINE_NAME_MAX;
}

static int
fields_check(
    const struct row *row, const struct record *record, struct fail *why)
{
	size_t i, j;

	for (i = 0; i < record->n; i++) {
		const char *name = record->field[i].name;

		if (!is_name(name))
			return fail_set(why, EPROTO,
			    "%s: field %zu has no proper name (a-z, 0-9, _)",
			    row->name, i + 1);
		if (!has_word(row->needs, name) && !has_word(row->may, name))
			return fail_set(
			    why, EPROTO, "%s takes no %s", row->name, name);
		for (j = 0; j < i; j++)
			if (strcmp(record->field[j].name, name) == 0)
				return fail_set(why, EPROTO,
				    "%s: %s comes twice", row->name, name);
	}
	return 0;
}

static int
needs_check(
    const struct row *row, const struct record *record, struct fail *why)
{
	char words[64];
	char *word, *rest = words;

	(void)snprintf(words, sizeof(words), "%s", row->needs);
	while ((word = strsep(&rest, " ")) != NULL)
		if (*word != '\0' && record_get(record, word) == NULL)
			return fail_set(
			    why, EPROTO, "%s needs %s", row->name, word);
	return 0;
}

static int
fds_check(const struct row *row, int nfds, struct fail *why)
{
	if (nfds >= row->min_fds && nfds <= row->max_fds)
		return 0;
	return fail_set(why, EPROTO, "%s comes with %d to %d descriptors",
	    row->name, row->min_fds, row->max_fds);
}

static const struct row *
row_of(const char *name, enum leaseline_sender from)
{
	size_t i;

	for (i = 0; i < LEASELINE_VERBS; i++)
		if (strcmp(rows[i].name, name) == 0 &&
		    (rows[i].senders & (unsigned int)from) != 0)
			return &rows[i];
	return NULL;
}

int
leaseline_parse(struct leaseline *l, char *line, size_t len, int nfds,
    enum leaseline_sender from, struct fail *why)
{
	const struct row *row;
	int rc;

	memset(l, 0, sizeof(*l));
	if (len > 0 && line[len - 1] == '\n')
		len--;
	if (len >= LEASELINE_MAX)
		return fail_set(why, EPROTO, "a message has %d bytes at most",
		    LEASELINE_MAX - 1);
	line[len] = '\0';
	if (strlen(line) != len || strpbrk(line, "\n\t\r") != NULL)
		return fail_set(why, EPROTO,
		    "a message is one line of words (escape with %%XX)");
	if (record_parse(&l->record, line) < 0)
		return fail_set(why, EPROTO,
		    "a message is VERB name=value ..., %d fields at most",
		    RECORD_FIELDS_MAX);
	row = row_of(l->record.kind, from);
	if (row == NULL)
		return fail_set(why, EPROTO, "unknown verb");
	l->verb = (enum leaseline_verb)(row - rows);
	rc = fields_check(row, &l->record, why);
	if (rc == 0)
		rc = needs_check(row, &l->record, why);
	return rc < 0 ? rc : fds_check(row, nfds, why);
}

const char *
leaseline_text(const struct leaseline *l, const char *field)
{
	const char *value = record_get(&l->record, field);

	return value != NULL ? value : "";
}

int
leaseline_count(
    const struct leaseline *l, const char *field, uint64_t max, uint64_t *out)
{
	const char *text = record_get(&l->record, field);
	uint64_t n = 0;

	if (text == NULL)
		return -ENOENT;
	if (*text == '\0')
		return -EPROTO;
	for (; *text != '\0'; text++) {
		uint64_t digit = (uint64_t)(*text - '0');

		if (*text < '0' || *text > '9' || digit > max ||
		    n > (max - digit) / 10)
			return -EPROTO;
		n = n * 10 + digit;
	}
	if (n > max)
		return -EPROTO;
	*out = n;
	return 0;
}

int
leaseline_signal(const char *name)
{
	size_t i;

	if (strncmp(name, "SIG", 3) == 0)
		name += 3;
	for (i = 0; i < SIGNALS; i++)
		if (strcmp(signals[i].name, name) == 0)
			return signals[i].signo;
	return -EINVAL;
}

const char *
leaseline_signal_name(int signo, char *out, size_t cap)
{
	size_t i;

	for (i = 0; i < SIGNALS; i++)
		if (signals[i].signo == signo)
			return signals[i].name;
	(void)snprintf(out, cap, "%d", signo);
	return out;
}

static int
place_of(const char *word)
{
	static const char *const names[LEASELINE_FDS_MAX] = {
		[LEASELINE_STDIN] = "stdin",
		[LEASELINE_STDOUT] = "stdout",
		[LEASELINE_STDERR] = "stderr",
		[LEASELINE_CWD] = "cwd",
		[LEASELINE_ARGS] = "args",
	};
	int i;

	for (i = 0; i < LEASELINE_FDS_MAX; i++)
		if (strcmp(names[i], word) == 0)
			return i;
	return -1;
}

int
leaseline_places(const struct leaseline *l, int nfds,
    int place[LEASELINE_FDS_MAX], struct fail *why)
{
	char words[64];
	char *word, *rest = words;
	int i, n = 0;

	for (i = 0; i < LEASELINE_FDS_MAX; i++)
		place[i] = -1;
	(void)snprintf(words, sizeof(words), "%s", leaseline_text(l, "fds"));
	while ((word = strsep(&rest, ",")) != NULL) {
		if (*word == '\0' && n == 0 && rest == NULL)
			break;
		i = place_of(word);
		if (i < 0 || place[i] >= 0)
			return fail_set(why, EPROTO,
			    "fds lists stdin, stdout, stderr, cwd, args, each "
			    "once");
		place[i] = n++;
	}
	if (n != nfds)
		return fail_set(why, EPROTO,
		    "fds lists %d descriptors, %d have come", n, nfds);
	if ((place[LEASELINE_STDIN] >= 0) != (place[LEASELINE_STDOUT] >= 0))
		return fail_set(why, EPROTO,
		    "stdin and stdout come together, or none of them");
	return 0;
}
