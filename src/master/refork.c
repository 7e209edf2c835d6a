/*
 * Policy without effects: the caller copies what it knows into views.
 */
#include "master/refork.h"

#define BACKOFF_FIRST_MS 125u /* so that the sixth waits 1 s */
#define BACKOFF_MAX_MS 30000u

static bool
warmer(const struct refork_view *a, const struct refork_view *b)
{
	if (a->requests != b->requests)
		return a->requests > b->requests;
	if (a->warmth != b->warmth)
		return a->warmth > b->warmth;
	return a->slot < b->slot;
}

int
refork_donor(const struct refork_view *view, size_t n)
{
	int best = -1;
	size_t i;

	for (i = 0; i < n; i++) {
		if (!view[i].serves || view[i].unsafe || view[i].replacing)
			continue;
		if (best < 0 || warmer(&view[i], &view[best]))
			best = (int)i;
	}
	return best;
}

static bool
goes_first(const struct refork_view *a, const struct refork_view *b)
{
	if (a->is_donor != b->is_donor)
		return !a->is_donor;
	if (a->faults != b->faults)
		return a->faults > b->faults;
	return a->slot < b->slot;
}

int
refork_replace(const struct refork_view *view, size_t n)
{
	int best = -1;
	size_t i;

	for (i = 0; i < n; i++) {
		if (!view[i].serves || !view[i].outdated || view[i].replacing)
			continue;
		if (best < 0 || goes_first(&view[i], &view[best]))
			best = (int)i;
	}
	return best;
}

uint64_t
refork_backoff_ms(unsigned int failures)
{
	uint64_t ms = BACKOFF_FIRST_MS;
	unsigned int i;

	if (failures < 2)
		return 0;
	for (i = 2; i < failures && ms < BACKOFF_MAX_MS; i++)
		ms *= 2;
	return ms < BACKOFF_MAX_MS ? ms : BACKOFF_MAX_MS;
}
