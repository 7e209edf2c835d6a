/*
 * The slots of a pool: two children each, found by number, token or pid. Memory
 * of slots that were never used is not touched.
 */
#include "master/master.h"

struct child *
pool_child(struct pool *p, uint32_t slot, int which)
{
	return &p->children[2 * slot + (uint32_t)which];
}

void
pool_use_slots(struct pool *p, uint32_t n)
{
	for (; p->slots < n && p->slots < RFK_SLOTS_MAX; p->slots++) {
		child_init(
		    pool_child(p, p->slots, 0), p, p->slots, 2 * p->slots);
		child_init(
		    pool_child(p, p->slots, 1), p, p->slots, 2 * p->slots + 1);
	}
}

struct child *
pool_serving(struct pool *p, uint32_t slot)
{
	struct child *a = pool_child(p, slot, 0);
	struct child *b = pool_child(p, slot, 1);

	if (child_serves(a) && child_serves(b))
		return a->ready_ms > b->ready_ms ? a : b;
	if (child_serves(a))
		return a;
	return child_serves(b) ? b : NULL;
}

struct child *
pool_vacant(struct pool *p, uint32_t slot)
{
	struct child *a = pool_child(p, slot, 0);

	if (!child_lives(a))
		return a;
	a = pool_child(p, slot, 1);
	return child_lives(a) ? NULL : a;
}

struct child *
pool_by_token(struct pool *p, uint64_t token)
{
	uint32_t i;

	for (i = 0; i < 2 * p->slots; i++)
		if (child_lives(&p->children[i]) &&
		    p->children[i].token == token)
			return &p->children[i];
	return NULL;
}

struct child *
pool_by_pid(struct pool *p, pid_t pid)
{
	uint32_t i;

	for (i = 0; i < 2 * p->slots; i++)
		if (p->children[i].process.pidfd >= 0 &&
		    p->children[i].process.pid == pid)
			return &p->children[i];
	return NULL;
}

uint32_t
pool_count(struct pool *p, enum life_state state)
{
	uint32_t i, n = 0;

	for (i = 0; i < 2 * p->slots; i++)
		n += p->children[i].state == state;
	return n;
}

uint32_t
pool_alive(struct pool *p)
{
	return 2 * p->slots - pool_count(p, LIFE_VACANT);
}
