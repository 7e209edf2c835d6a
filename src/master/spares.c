/*
 * spares.c - workers that wait to be leased: how many there are, and the next
 * one. A lease costs a message when there is one, a fork when there is none.
 */
#include "base/log.h"
#include "master/leases.h"
#include "master/master.h"

bool
spares_kept(const struct pool *p)
{
	return p->settings.kind == RFK_KIND_LEASE;
}

void
spares_count(struct pool *p, struct spares *n)
{
	struct lease *l;
	uint32_t i;

	*n = (struct spares){ 0 };
	for (i = 0; i < 2 * p->slots; i++) {
		const struct child *c = &p->children[i];

		if (c->lease != NULL)
			n->leased++;
		else if (child_serves(c))
			n->ready++;
		else if (c->state == LIFE_FORKING || c->state == LIFE_BOOTING)
			n->coming++;
		else if (child_lives(c))
			n->leaving++;
	}
	if (p->master->leases == NULL)
		return;
	TAILQ_FOREACH(l, &p->master->leases->list, link)
	n->waiting += l->pool == p && l->child == NULL;
}

/*
 * The newest generation that has proved itself goes first; what a reload has
 * replaced is of other code, or of another kind.
 */
static struct child *
spare_best(struct pool *p)
{
	struct child *best = NULL;
	uint32_t i;

	for (i = 0; i < 2 * p->slots; i++) {
		struct child *c = &p->children[i];

		if (c->state != LIFE_SERVING || c->lease != NULL ||
		    c->is_canary || c->process.chan == NULL ||
		    c->generation < p->reloaded)
			continue;
		if (best == NULL || c->generation > best->generation)
			best = c;
	}
	return best;
}

static void
grant(struct pool *p)
{
	struct child *c;
	struct lease *l;

	while ((l = lease_waiting(p)) != NULL && (c = spare_best(p)) != NULL)
		if (lease_grant(l, c) < 0) {
			leases_refuse(l->client, "busy", 0,
			    "the master has no descriptors left");
			lease_free(l);
		}
}

/* A slot of its own for each: a leased worker keeps both rows. */
static struct child *
vacancy(struct pool *p)
{
	uint32_t slot;

	for (slot = 0; slot < RFK_SLOTS_MAX; slot++) {
		pool_use_slots(p, slot + 1);
		if (!child_lives(pool_child(p, slot, 0)) &&
		    !child_lives(pool_child(p, slot, 1)))
			return pool_child(p, slot, 0);
	}
	return NULL;
}

static void
make_one(struct pool *p)
{
	struct child *c;

	if (!moldlink_usable(p->mold) || p->mold->forking != NULL ||
	    pool_backs_off(p))
		return;
	c = vacancy(p);
	if (c != NULL)
		(void)moldlink_fork(p->mold, c);
}

/* Fewer are wanted than there are: after `scale`, or a burst. */
static void
send_one_away(struct pool *p)
{
	uint32_t i;

	for (i = 2 * p->slots; i-- > 0;) {
		struct child *c = &p->children[i];

		if (c->state == LIFE_SERVING && c->lease == NULL) {
			child_event(c, LIFE_QUIT);
			return;
		}
	}
}

void
spares_step(struct pool *p)
{
	struct spares n;
	uint32_t want;

	grant(p);
	spares_count(p, &n);
	want = p->wanted + n.waiting;
	if (n.ready + n.coming < want &&
	    n.ready + n.coming + n.leased + n.leaving <
		(uint32_t)p->settings.max)
		make_one(p);
	else if (n.ready > want && succession_idle(p))
		send_one_away(p);
}

bool
spares_ready(struct pool *p)
{
	struct spares n;

	spares_count(p, &n);
	return n.ready + n.leased >= p->wanted;
}
