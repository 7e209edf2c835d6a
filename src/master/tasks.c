/*
 * What follows when a run block ends by itself: `restart` says whether it
 * begins again. When every pool's work is done, so is the master's.
 */
#include <string.h>

#include "base/log.h"
#include "master/master.h"

enum restart { RESTART_ALWAYS, RESTART_ON_FAILURE, RESTART_NEVER };

void
tasks_ended(struct pool *p, const struct child *c)
{
	bool fine = pidfd_ok(&c->process.exit);

	/* Told to go, or replaced: that is not its own end. */
	if (c->drain_ms != 0 || c->at_once || pool_is_stopping(p) ||
	    c->slot >= p->wanted || p->settings.restart == RESTART_ALWAYS ||
	    (p->settings.restart == RESTART_ON_FAILURE && !fine))
		return;
	p->done[c->slot] = true;
	if (!fine)
		p->has_failed_run = true;
	log_info("%srun block %u has ended: it is not begun again (restart)",
	    p->label, c->slot);
}

void
tasks_again(struct pool *p)
{
	memset(p->done, 0, sizeof(p->done));
	p->has_failed_run = false;
}

bool
tasks_over(struct pool *p)
{
	uint32_t slot;

	if (p->settings.kind == RFK_KIND_NONE)
		return true;
	if (p->settings.kind != RFK_KIND_RUN || !p->is_settled ||
	    p->wanted == 0 || pool_alive(p) > 0 || !succession_idle(p))
		return false;
	for (slot = 0; slot < p->wanted; slot++)
		if (!p->done[slot])
			return false;
	return true;
}
