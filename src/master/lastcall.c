/* lastcall.c - who serves the queue when a pool stops. */
#include "master/lastcall.h"

#include "base/log.h"
#include "master/master.h"

/* One that drains already has left the listeners to the others. */
static bool
somebody_accepts(struct pool *p)
{
	return p->master->strangers.left > 0 ||
	       pool_count(p, LIFE_FORKING) + pool_count(p, LIFE_BOOTING) +
		       pool_count(p, LIFE_SERVING) +
		       pool_count(p, LIFE_MOLDING) >
		   0;
}

static struct child *
place(struct pool *p)
{
	struct child *c = NULL;
	uint32_t slot;

	pool_use_slots(p, 1);
	for (slot = 0; slot < p->slots && c == NULL; slot++)
		if (!p->done[slot])
			c = pool_vacant(p, slot);
	return c;
}

/* The mold does as it is told, one after the other: the listeners are still its
 * own when it forks. */
static void
make_one(struct pool *p, int waiting)
{
	struct child *c = place(p);

	if (c != NULL && p->mold != NULL && moldlink_fork(p->mold, c) == 0)
		log_info("%s%d clients wait and no worker serves: one is made "
			 "for them",
		    p->label, waiting);
	else
		log_warn("%s%d clients wait, no worker serves and no mold can "
			 "make one: they will be reset",
		    p->label, waiting);
}

void
lastcall_begin(struct pool *p)
{
	int waiting;

	if (p->settings.kind == RFK_KIND_RUN)
		listeners_announce(&p->listeners);
	else
		listeners_cut(&p->listeners);
	waiting = listeners_waiting(&p->listeners);
	if (waiting > 0 && !somebody_accepts(p))
		make_one(p, waiting);
}
