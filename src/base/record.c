/*
 * record.c - one line of the control socket's answers.
 */
#include "base/record.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/escape.h"

static int
field_parse(struct record *r, char *word)
{
	char *value = strchr(word, '=');

	if (value == NULL || value == word || r->n == RECORD_FIELDS_MAX)
		return -EPROTO;
	*value++ = '\0';
	if (escape_undo(value) < 0)
		return -EPROTO;
	r->field[r->n].name = word;
	r->field[r->n].value = value;
	r->n++;
	return 0;
}

int
record_parse(struct record *r, char *line)
{
	char *word, *rest = line;

	memset(r, 0, sizeof(*r));
	while ((word = strsep(&rest, " ")) != NULL) {
		if (*word == '\0')
			continue;
		if (r->kind == NULL)
			r->kind = word;
		else if (field_parse(r, word) < 0)
			return -EPROTO;
	}
	return r->kind == NULL ? -EPROTO : 0;
}

const char *
record_get(const struct record *r, const char *name)
{
	size_t i;

	for (i = 0; i < r->n; i++)
		if (strcmp(r->field[i].name, name) == 0)
			return r->field[i].value;
	return NULL;
}

int
record_begin(struct buf *out, const char *kind)
{
	buf_reset(out);
	return buf_puts(out, kind);
}

int
record_text(struct buf *out, const char *name, const char *value)
{
	int rc = buf_printf(out, " %s=", name);

	return rc < 0 ? rc : escape_put(out, value, strlen(value));
}

int
record_count(struct buf *out, const char *name, uint64_t value)
{
	return buf_printf(out, " %s=%" PRIu64, name, value);
}

int
record_signed(struct buf *out, const char *name, int64_t value)
{
	return buf_printf(out, " %s=%" PRId64, name, value);
}
