#include "master/service.h"

#include "master/master.h"

bool
service_is(const struct pool *p)
{
	return p->family != NULL;
}

void
service_follow(struct master *m)
{
	const struct rfk_settings_table *of = &m->pool.settings;
	struct pool *p = pools_find(m, SERVICE_NAME);

	if (of->service == 0) {
		if (p != NULL && service_is(p))
			pools_leave(p, "the file asks for no service any more");
		return;
	}
	if (p == NULL)
		p = pools_add(m, SERVICE_NAME);
	if (p == NULL)
		return;
	p->family = &m->pool;
	p->settings.kind = RFK_KIND_RUN;
	p->settings.personality = of->personality;
	p->settings.timeout = of->timeout;
	p->settings.spawn_timeout = of->spawn_timeout;
	p->settings.drain_timeout = settings_drain_ms(of);
	p->is_settled = true;
	pool_scale(p, 1, NULL);
}

static void
leave_when_outdated(struct pool *p)
{
	struct child *c;
	int which;

	for (which = 0; which < 2; which++) {
		c = pool_child(p, 0, which);
		if (c->generation == p->family->generation)
			continue;
		if (c->state == LIFE_BOOTING || child_serves(c))
			child_event(c, LIFE_QUIT);
	}
}

void
service_step(struct pool *p)
{
	struct pool *of = p->family;

	if (p->slots == 0)
		return;
	leave_when_outdated(p);
	/* Workers first, in a rollout as well. */
	if (pool_alive(p) > 0 || !of->serving || !moldlink_usable(of->mold) ||
	    of->mold->forking != NULL || pool_backs_off(p))
		return;
	(void)moldlink_fork(of->mold, pool_vacant(p, 0));
}

struct pool *
service_of(const struct moldlink *l)
{
	struct pool *p = pools_find(l->pool->master, SERVICE_NAME);

	return p != NULL && p->family == l->pool ? p : NULL;
}
