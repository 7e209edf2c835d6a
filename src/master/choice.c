/*
 * What the policy of refork.h is told: a view of each serving worker, copied
 * from its slot and its row of the board.
 */
#include "master/choice.h"

#include <string.h>

#include "ipc/board.h"
#include "master/leases.h"
#include "master/master.h"
#include "master/memory.h"
#include "master/refork.h"

static size_t
make_views(struct pool *p, struct refork_view *views, struct child **whose)
{
	struct board_view row;
	struct child *c;
	size_t n = 0;
	uint32_t slot;

	for (slot = 0; slot < p->slots; slot++) {
		c = slot < p->wanted || spares_kept(p) ? pool_serving(p, slot)
						       : NULL;
		if (c == NULL || c->lease != NULL)
			continue;
		child_row(c, &row);
		memset(&views[n], 0, sizeof(views[n]));
		views[n].slot = slot;
		views[n].serves = true;
		views[n].unsafe = c->unsafe || recycle_wanted(p, c) ||
				  memory_is_fat(p->memory, c);
		views[n].is_donor = slot == p->succession.donor_slot;
		views[n].generation = c->generation;
		views[n].outdated = c->generation != p->generation;
		views[n].replacing = pool_vacant(p, slot) == NULL;
		if (row.pid == c->process.pid) {
			views[n].requests = row.requests;
			views[n].warmth = row.requests + row.inherited;
			if (row.faults_now > row.faults_start)
				views[n].faults =
				    row.faults_now - row.faults_start;
		}
		whose[n++] = c;
	}
	return n;
}

/* refork_candidates: the first so many slots; 0 is all of them. */
static bool
is_candidate(const struct pool *p, uint32_t slot)
{
	int64_t first = p->settings.refork_candidates;

	return first == 0 || (int64_t)slot < first;
}

/* Who asks for one slot by name gets it, candidate or not. */
/* A session answers only when it has offered itself. */
static struct child *
preferred(struct pool *p)
{
	struct child *c = pool_serving(p, p->succession.preferred);
	int which;

	for (which = 0; which < 2; which++)
		if (pool_child(p, p->succession.preferred, which)->offers)
			return pool_child(p, p->succession.preferred, which);
	return c != NULL && c->lease == NULL ? c : NULL;
}

struct child *
choice_donor(struct pool *p)
{
	static struct refork_view views[RFK_SLOTS_MAX];
	static struct child *whose[RFK_SLOTS_MAX];
	struct succession *s = &p->succession;
	struct child *c;
	size_t i, n;
	int at;

	if (s->preferred < p->slots) {
		c = preferred(p);
		if (c != NULL && !c->unsafe && c->generation >= p->reloaded)
			return c;
	}
	n = make_views(p, views, whose);
	for (i = 0; i < n; i++) {
		views[i].replacing = false; /* a donor keeps its own row */
		/* What a reload has replaced, code or listeners, stays so. */
		views[i].unsafe |= views[i].generation < p->reloaded ||
				   !is_candidate(p, views[i].slot);
	}
	at = refork_donor(views, n);
	return at < 0 ? NULL : whose[at];
}

struct child *
choice_replaced(struct pool *p, bool canary)
{
	static struct refork_view views[RFK_SLOTS_MAX];
	static struct child *whose[RFK_SLOTS_MAX];
	size_t i, n = make_views(p, views, whose);
	int at;

	for (i = 0; canary && i < n; i++)
		views[i].outdated = true;
	at = refork_replace(views, n);
	return at < 0 ? NULL : whose[at];
}

void
choice_forget_refusals(struct pool *p)
{
	uint32_t i;

	for (i = 0; i < 2 * p->slots; i++)
		p->children[i].unsafe = false;
}
