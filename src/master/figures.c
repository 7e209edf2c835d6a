/*
 * Whose figures stand where: processes come and go, each place knows its own.
 */
#include <string.h>
#include <unistd.h>

#include "master/master.h"
#include "master/memory.h"

static void
forget(struct figures *f, pid_t pid)
{
	memset(f, 0, sizeof(*f));
	f->pid = pid;
	f->early = f->late = -1;
}

/* The current mold moves to another place in the list: its figures stay. */
static struct figures *
other_of(struct memory *m, pid_t pid)
{
	struct figures *free_one = NULL;
	size_t i;

	for (i = 0; i < MEMORY_OTHERS; i++) {
		if (m->other[i].pid == pid)
			return &m->other[i];
		if (free_one == NULL && m->other[i].pid == 0)
			free_one = &m->other[i];
	}
	if (free_one != NULL)
		forget(free_one, pid);
	return free_one;
}

static pid_t
mold_pid(struct memory *m, size_t i)
{
	struct moldlink *l = pool_mold_at(m->pool, i);

	return l != NULL && !l->process.dead ? l->process.pid : 0;
}

static bool
is_current(struct memory *m, pid_t pid)
{
	size_t i;

	for (i = 0; i < POOL_MOLDS; i++)
		if (mold_pid(m, i) == pid)
			return true;
	return pid == getpid();
}

void
memory_follow(struct memory *m)
{
	struct pool *p = m->pool;
	struct figures *f;
	struct child *c;
	size_t i;

	for (i = 0; i < 2 * (size_t)p->slots; i++) {
		c = &p->children[i];
		f = &m->worker[i];
		if (f->pid ==
		    (child_lives(c) && !c->process.dead ? c->process.pid : 0))
			continue;
		forget(
		    f, child_lives(c) && !c->process.dead ? c->process.pid : 0);
	}
	for (i = 0; i < MEMORY_OTHERS; i++)
		if (m->other[i].pid != 0 && !is_current(m, m->other[i].pid))
			m->other[i].pid = 0;
	(void)other_of(m, getpid());
	for (i = 0; i < POOL_MOLDS; i++)
		if (mold_pid(m, i) != 0)
			(void)other_of(m, mold_pid(m, i));
}
