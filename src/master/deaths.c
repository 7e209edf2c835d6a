/*
 * A ring: an entry is overwritten when 64 others have followed it.
 */
#include "master/deaths.h"

#include <string.h>

struct death *
deaths_next(struct deaths *deaths)
{
	struct death *d = &deaths->ring[deaths->total++ % DEATHS_MAX];

	memset(d, 0, sizeof(*d));
	return d;
}

const struct death *
deaths_at(const struct deaths *deaths, size_t i)
{
	if (i >= DEATHS_MAX || i >= deaths->total)
		return NULL;
	return &deaths->ring[(deaths->total - 1 - i) % DEATHS_MAX];
}
