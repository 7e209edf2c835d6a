/*
 * environ.c - variables for the next image alone.
 *
 * REFORKD_PUT is a list of "NAME" (was not set) or "NAME=VALUE" (was), each
 * ended by a record separator: a byte that no value has.
 */
#include "base/environ.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

#define LIST "REFORKD_PUT"
#define END '\x1e'
#define PUT_MAX 32

static struct {
	char *name;
	char *value;
} put[PUT_MAX];

/* The entry's first byte in the list, NULL = not there. */
static const char *
entry_of(const char *list, const char *name)
{
	size_t len = strlen(name);
	const char *p = list;

	while (p != NULL && *p != '\0') {
		if (strncmp(p, name, len) == 0 &&
		    (p[len] == END || p[len] == '='))
			return p;
		p = strchr(p, END);
		if (p != NULL)
			p++;
	}
	return NULL;
}

/* Only the first putting meets the user's value. */
static int
write_down(const char *name)
{
	const char *list = getenv(LIST);
	const char *was = getenv(name);
	const char *text;
	struct buf b = BUF_INIT;
	int rc;

	if (entry_of(list, name) != NULL)
		return 0;
	rc = buf_printf(&b, "%s%s%s%s%c", list != NULL ? list : "", name,
	    was != NULL ? "=" : "", was != NULL ? was : "", END);
	text = rc == 0 ? buf_cstr(&b) : NULL;
	rc = text == NULL || setenv(LIST, text, 1) < 0 ? -ENOMEM : 0;
	buf_fini(&b);
	return rc;
}

int
environ_put(const char *name, const char *value)
{
	int rc;

	if (*name == '\0' || strchr(name, '=') != NULL)
		return -EINVAL;
	rc = write_down(name);
	if (rc == 0 && setenv(name, value, 1) < 0)
		rc = -ENOMEM;
	return rc;
}

int
environ_default(const char *name, const char *value)
{
	if (getenv(name) != NULL)
		return 0;
	return environ_put(name, value);
}

/* Keeps the value that was put. */
static int
keep(const char *name, const char *value)
{
	size_t i;

	for (i = 0; i < PUT_MAX && put[i].name != NULL; i++)
		;
	if (i == PUT_MAX)
		return -ENOMEM;
	put[i].name = strdup(name);
	put[i].value = strdup(value);
	if (put[i].name != NULL && put[i].value != NULL)
		return 0;
	free(put[i].name);
	put[i].name = NULL;
	return -ENOMEM;
}

static int
give_back(char *entry)
{
	char *was = strchr(entry, '=');
	const char *value;
	int rc = 0;

	if (was != NULL)
		*was++ = '\0';
	value = getenv(entry);
	if (value != NULL)
		rc = keep(entry, value);
	if (was == NULL)
		(void)unsetenv(entry);
	else if (setenv(entry, was, 1) < 0)
		rc = -ENOMEM;
	return rc;
}

int
environ_take_back(void)
{
	const char *list = getenv(LIST);
	char *copy, *rest, *end;
	int rc = 0;

	if (list == NULL)
		return 0;
	copy = strdup(list);
	if (copy == NULL)
		return -ENOMEM;
	for (rest = copy; (end = strchr(rest, END)) != NULL; rest = end + 1) {
		*end = '\0';
		if (*rest != '\0' && give_back(rest) < 0)
			rc = -ENOMEM;
	}
	(void)unsetenv(LIST);
	free(copy);
	return rc;
}

const char *
environ_was_put(const char *name)
{
	size_t i;

	for (i = 0; i < PUT_MAX; i++)
		if (put[i].name != NULL && strcmp(put[i].name, name) == 0)
			return put[i].value;
	return NULL;
}

const char *
environ_put_at(size_t i, const char **value)
{
	size_t j;

	for (j = 0; j < PUT_MAX; j++)
		if (put[j].name != NULL && i-- == 0) {
			*value = put[j].value;
			return put[j].name;
		}
	return NULL;
}

void
environ_forget(const char *name)
{
	size_t i;

	for (i = 0; i < PUT_MAX; i++) {
		if (put[i].name == NULL || strcmp(put[i].name, name) != 0)
			continue;
		free(put[i].name);
		free(put[i].value);
		put[i].name = put[i].value = NULL;
	}
}

int
environ_put_again(void)
{
	int rc = 0;
	size_t i;

	for (i = 0; i < PUT_MAX && rc == 0; i++)
		if (put[i].name != NULL)
			rc = environ_put(put[i].name, put[i].value);
	return rc;
}
