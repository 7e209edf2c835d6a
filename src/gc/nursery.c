/* nursery.c - what a smaller one costs, in figures of this worker. */
#include "gc/nursery.h"

#define DECAY 0.99
/* A collection counts for a quarter of the mean; the first for all of it. */
#define WEIGHT 0.25
/* Below this a collection finds nothing that was not just made. */
#define SIZE_MIN (1u << 20)
#define SIZE_MAX_BYTES (1u << 30)

void
gc_nursery_worked(
    struct gc_nursery *n, uint64_t bytes, uint64_t busy_us, uint64_t wall_us)
{
	n->bytes = n->bytes * DECAY + (double)bytes;
	n->busy_us = n->busy_us * DECAY + (double)busy_us;
	n->wall_us = n->wall_us * DECAY + (double)wall_us;
}

/* A major one is due when Ruby wants it, however small the nursery is. */
void
gc_nursery_collected(struct gc_nursery *n, uint64_t cost_us, bool major)
{
	if (major && n->collections > 0)
		return;
	if (n->collections++ == 0)
		n->cost_us = (double)cost_us;
	else
		n->cost_us += WEIGHT * ((double)cost_us - n->cost_us);
}

/* What collections may take of the time that was looked at. */
static double
time_us(const struct gc_nursery *n, struct gc_shares share)
{
	double idle = n->wall_us / 2 - n->busy_us;

	return share.busy * n->busy_us + (idle > 0 ? share.idle * idle : 0);
}

uint64_t
gc_nursery_size(const struct gc_nursery *n, struct gc_shares share)
{
	double time = time_us(n, share);
	double size;

	if (n->collections == 0 || n->busy_us <= 0 || time <= 0)
		return 0;
	size = n->cost_us * n->bytes / time;
	if (size < SIZE_MIN)
		return SIZE_MIN;
	return size < SIZE_MAX_BYTES ? (uint64_t)size : SIZE_MAX_BYTES;
}
