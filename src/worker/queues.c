#include "worker/queues.h"

bool
queue_is_mine(uint32_t queue, uint32_t queues, uint32_t per_worker,
    uint32_t slot, uint32_t workers)
{
	uint32_t behind = (queue + queues - slot % queues) % queues;

	if (behind < per_worker)
		return true;
	/* The first of the workers take 0, 1 ... and per_worker - 1 more. */
	if (workers == 0 || workers >= queues ||
	    queue < workers + per_worker - 1)
		return false;
	return queue % workers == slot;
}
