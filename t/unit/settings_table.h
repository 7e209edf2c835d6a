/* settings_table.h - a table, and entries for it as a mold sends them. */
#ifndef UNIT_SETTINGS_TABLE_H
#define UNIT_SETTINGS_TABLE_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <reforkd/settings.h>

static struct rfk_settings_table table;
static char why[200];

static inline void
setup(void)
{
	ck_assert_int_eq(settings_init(&table), 0);
	memset(why, 0, sizeof(why));
}

static inline void
teardown(void)
{
	settings_fini(&table);
}

/* One entry with its NUL, copied so that a sanitizer sees its end. */
static inline int
decode(const char *entry)
{
	size_t len = strlen(entry) + 1;
	char *copy = malloc(len);
	int rc;

	memcpy(copy, entry, len);
	rc = settings_decode(&table, copy, len, why, sizeof(why));
	free(copy);
	return rc;
}

#endif
