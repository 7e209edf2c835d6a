/*
 * environment.c - the variables of a mold's start.
 */
#include "master/environment.h"

#include <stddef.h>

#include "base/environ.h"
#include "ipc/allocator.h"

/* Name and value, unless the user has set it. A Ruby that does not know a name
 * reads none of it. */
static const struct {
	const char *name, *value;
} defaults[] = {
	{ NULL, NULL },
};

int
environment_put(const struct rfk_settings_table *settings)
{
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && defaults[i].name != NULL; i++)
		rc = environ_default(defaults[i].name, defaults[i].value);
	return rc == 0 ? allocator_put(settings) : rc;
}
