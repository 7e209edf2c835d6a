/*
 * line.c - a request on the control socket.
 */
#include "master/line.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <reforkd/proto.h>

static const struct {
	const char *name;
	bool slot, scale, waits;
	const char *words;
} verbs[] = {
#define VERB(name, slot, scale, waits, words, help)                            \
	{ #name, slot, scale, waits, words },
#include <reforkd/verbs.def>
#undef VERB
};

#define SCALE_TAKES "+1, -1 or 0 to 512"

static const char known[] = ""
#define VERB(name, slot, scale, waits, words, help) " " #name
#include <reforkd/verbs.def>
#undef VERB
    ;

int
line_length(const char *bytes, size_t len)
{
	const char *end = len > 0 ? memchr(bytes, '\n', len) : NULL;

	if (end == NULL)
		return len >= LINE_MAX_BYTES ? -EPROTO : 0;
	return end - bytes >= LINE_MAX_BYTES ? -EPROTO : (int)(end - bytes) + 1;
}

void
line_close(char *bytes, size_t len)
{
	char *zero;

	bytes[--len] = '\0';
	while ((zero = memchr(bytes, '\0', len)) != NULL)
		*zero = '\x01';
	if (len > 0 && bytes[len - 1] == '\r')
		bytes[len - 1] = '\0';
}

/* Decimal digits only, no sign, no more than max. */
static bool
number_read(const char *text, uint32_t max, uint32_t *out)
{
	uint32_t n = 0;

	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return false;
		n = n * 10 + (uint32_t)(*text - '0');
		if (n > max)
			return false;
	}
	*out = n;
	return true;
}

static bool
scale_read(struct line *line, const char *word)
{
	if (strcmp(word, "+1") == 0 || strcmp(word, "-1") == 0) {
		line->scale_by = word[0] == '+' ? 1 : -1;
		return true;
	}
	return number_read(word, RFK_SLOTS_MAX, &line->scale_to);
}

static const char *const known_words[] = { "now", "on", "off", "read",
	"pages" };

#define KNOWN_WORDS (sizeof(known_words) / sizeof(known_words[0]))

/* One of the verb's own words, "on|off": found whole, and without a bar. */
static bool
word_read(struct line *line, const char *word)
{
	const char *words = verbs[line->verb].words;
	const size_t len = strlen(word);
	const char *at = words != NULL ? strstr(words, word) : NULL;
	size_t i;

	if (at == NULL || (at > words && at[-1] != '|') ||
	    (at[len] != '\0' && at[len] != '|'))
		return false;
	for (i = 0; i < KNOWN_WORDS; i++)
		if (strcmp(known_words[i], word) == 0)
			line->word = known_words[i];
	line->now = strcmp(word, "now") == 0;
	return line->word != NULL;
}

/* A verb that concerns workers may name a pool: mold/pools.rb has the rule. */
static bool
pool_read(struct line *line, const char *word)
{
	size_t i;

	if (!verbs[line->verb].slot && !verbs[line->verb].scale &&
	    !verbs[line->verb].waits)
		return false;
	for (i = 0; i < KNOWN_WORDS; i++)
		if (strcmp(known_words[i], word) == 0)
			return false;
	if (line->pool != NULL)
		return false;
	line->pool = word;
	return true;
}

static bool
is_own_word(const struct line *line, const char *word)
{
	struct line copy = *line;

	return word_read(&copy, word);
}

/* The verb's row says which words may follow it; each one once. */
static bool
argument_read(struct line *line, const char *word, unsigned int *seen)
{
	const bool is_number =
	    strchr("+-0123456789", *word) != NULL && *word != '\0';
	const unsigned int bit = strcmp(word, "no-wait") == 0 ? 1
				 : is_number                  ? 4
				 : is_own_word(line, word)    ? 2
							      : 8;
	bool ok;

	if ((*seen & bit) != 0)
		return false;
	*seen |= bit;
	if (bit == 1) {
		ok = verbs[line->verb].waits;
		line->no_wait = ok;
	} else if (bit == 2) {
		ok = word_read(line, word);
	} else if (bit == 8) {
		ok = pool_read(line, word);
	} else if (verbs[line->verb].scale) {
		ok = scale_read(line, word);
	} else {
		ok = verbs[line->verb].slot &&
		     number_read(word, RFK_SLOTS_MAX - 1, &line->slot);
	}
	return ok;
}

/* A rest like this may be shown: the caller's terminal is not ours to write. */
static bool
is_printable(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text < 0x20 || *text == 0x7f)
			return false;
	return true;
}

static int
verb_read(struct line *line, const char *word, struct fail *why)
{
	int i;

	for (i = 0; i < LINE_VERBS; i++)
		if (strcmp(word, verbs[i].name) == 0) {
			line->verb = (enum line_verb)i;
			return 0;
		}
	return fail_set(
	    why, EPROTO, "unknown verb %.40s (known:%s)", word, known);
}

int
line_parse(struct line *line, char *text, struct fail *why)
{
	unsigned int seen = 0;
	bool has_verb = false;
	char *word, *rest = text;

	memset(line, 0, sizeof(*line));
	line->slot = UINT32_MAX;
	if (!is_printable(text))
		return fail_set(why, EPROTO, "the request is not plain text");
	while ((word = strsep(&rest, " ")) != NULL) {
		if (*word == '\0')
			continue;
		if (!has_verb && verb_read(line, word, why) < 0)
			return -EPROTO;
		if (has_verb && !argument_read(line, word, &seen))
			return fail_set(why, EPROTO,
			    "%s does not take the argument %.40s%s",
			    verbs[line->verb].name, word,
			    verbs[line->verb].scale ? ": " SCALE_TAKES : "");
		has_verb = true;
	}
	if (!has_verb)
		return fail_set(why, EPROTO, "no verb (known:%s)", known);
	if (verbs[line->verb].scale && (seen & 4) == 0)
		return fail_set(why, EPROTO, "scale takes " SCALE_TAKES);
	return 0;
}
