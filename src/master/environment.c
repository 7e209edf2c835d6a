/*
 * environment.c - the variables of a mold's start.
 */
#include "master/environment.h"

#include "ipc/allocator.h"
#include "ipc/heap.h"

int
environment_put(const struct rfk_settings_table *settings)
{
	int rc = heap_put(settings);

	return rc == 0 ? allocator_put(settings) : rc;
}
