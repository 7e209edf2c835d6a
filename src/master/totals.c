/*
 * totals.c - the sums over the figures of a pool's processes.
 */
#include <stdlib.h>

#include "ipc/board.h"
#include "master/master.h"
#include "master/memory.h"

#define FAT_KB 16384u

static uint64_t
grown_kb(const struct figures *f)
{
	return f->at_ms != 0 && f->rss_now_kb > f->rss_kb
		   ? f->rss_now_kb - f->rss_kb
		   : 0;
}

uint64_t
figures_pss_kb(const struct figures *f)
{
	return f->pss_kb + grown_kb(f);
}

uint64_t
figures_uss_kb(const struct figures *f)
{
	return f->uss_kb + grown_kb(f);
}

static int
by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void
add(struct totals *t, const struct figures *f)
{
	if (f->pid == 0)
		return;
	t->pss_kb += figures_pss_kb(f);
	t->is_complete = t->is_complete && f->at_ms != 0;
	t->grown_kb += f->grown_kb;
}

/* One worker that serves; what shall leave is not the fattest any more. */
static void
add_serving(struct totals *t, const struct memory *m, struct child *c,
    const struct figures *f)
{
	uint64_t kb = figures_uss_kb(f);
	struct board_view v;

	child_row(c, &v);
	t->workers++;
	t->uss_kb += kb;
	t->rss_kb += f->rss_now_kb;
	t->requests += v.pid == c->process.pid ? v.requests : 0;
	t->is_current = t->is_current && c->generation == m->pool->generation;
	if (f->early >= 0 && f->late >= 0) {
		t->early += f->early;
		t->late += f->late;
	}
	if (recycle_wanted(m->pool, c)) {
		t->going_kb += kb;
		return;
	}
	if (t->fattest != NULL && kb <= t->fattest_kb)
		return;
	t->fattest = c;
	t->fattest_kb = kb;
	t->fattest_pss_kb = figures_pss_kb(f);
}

void
memory_sum(struct memory *m)
{
	static uint64_t sizes[RFK_SLOTS_MAX];
	struct pool *p = m->pool;
	struct totals t = { .is_complete = true, .is_current = true };
	struct child *c;
	uint32_t slot;
	size_t i;

	for (i = 0; i < 2 * (size_t)p->slots; i++) {
		add(&t, &m->worker[i]);
		if (p->children[i].state == LIFE_DRAINING)
			t.going_kb += figures_uss_kb(&m->worker[i]);
	}
	for (i = 0; i < MEMORY_OTHERS; i++)
		add(&t, &m->other[i]);
	for (slot = 0; slot < p->slots; slot++) {
		c = pool_serving(p, slot);
		if (c == NULL)
			continue;
		sizes[t.workers] = figures_uss_kb(&m->worker[c->row]);
		add_serving(&t, m, c, &m->worker[c->row]);
	}
	qsort(sizes, t.workers, sizeof(sizes[0]), by_size);
	t.median_kb = t.workers > 0 ? sizes[t.workers / 2] : 0;
	t.requests = t.workers > 0 ? t.requests / t.workers : 0;
	t.decay = t.early > 0 && t.late < t.early ? t.late / t.early : 1.;
	m->now = t;
}

bool
memory_is_fat(const struct memory *m, const struct child *c)
{
	const struct figures *f = &m->worker[c->row];

	return m->sampler != NULL && f->pid == c->process.pid &&
	       m->now.workers > 2 &&
	       figures_uss_kb(f) > 2 * m->now.median_kb + FAT_KB;
}
