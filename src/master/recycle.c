#include "master/recycle.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"
#include "master/master.h"

bool
recycle_wanted(const struct pool *p, const struct child *c)
{
	return c->token != 0 && p->recycle.token[c->row] == c->token;
}

void
recycle_want(struct pool *p, struct child *c, const char *fmt, ...)
{
	char why[256], name[96];
	va_list ap;

	if (!child_serves(c) || c->token == 0 || recycle_wanted(p, c))
		return;
	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	if (c->lease != NULL) {
		log_info("%s %s: its session drains",
		    child_name(c, name, sizeof(name)), why);
		child_event(c, LIFE_QUIT);
		return;
	}
	log_info("%s %s: a successor replaces it, then it drains",
	    child_name(c, name, sizeof(name)), why);
	p->recycle.token[c->row] = c->token;
	p->recycle.wanted++;
	pool_touch(p);
}

bool
recycle_busy(const struct pool *p)
{
	return p->recycle.wanted > 0;
}

static bool
is_made(const struct child *c)
{
	return c->state == LIFE_FORKING || c->state == LIFE_BOOTING;
}

/* The mold makes one worker at a time; a rollout has precedence over this. */
static bool
may_fork(struct pool *p)
{
	return p->succession.stage == SUCCESSION_NONE &&
	       moldlink_usable(p->mold) && p->mold->forking == NULL;
}

void
recycle_step(struct pool *p)
{
	uint32_t limit =
	    (uint32_t)settings_unavailable(&p->settings, p->wanted);
	uint32_t slot, under_way = 0, marked = 0;
	struct child *next = NULL, *c, *other;

	if (p->recycle.wanted == 0)
		return;
	for (slot = 0; slot < p->slots && slot < p->wanted; slot++) {
		c = pool_serving(p, slot);
		if (c == NULL || !recycle_wanted(p, c))
			continue;
		marked++;
		other = pool_child(p, slot, (int)(1 - (c->row & 1)));
		under_way += is_made(other);
		if (next == NULL && !child_lives(other))
			next = c;
	}
	p->recycle.wanted = marked;
	if (next == NULL || under_way >= limit || !may_fork(p) ||
	    pool_backs_off(p))
		return;
	moldlink_fork(p->mold, pool_vacant(p, next->slot));
}
