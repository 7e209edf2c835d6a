#include "master/pools.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "ipc/board.h"
#include "master/failures.h"
#include "master/inquiry.h"
#include "master/leases.h"
#include "master/master.h"
#include "master/refork.h"
#include "master/service.h"

struct pool *
pools_next(const struct master *m, const struct pool *p)
{
	uint32_t i = p != NULL ? p->index + 1 : 0;

	while (i < RFK_POOLS_MAX && m->pools[i] == NULL)
		i++;
	return i < RFK_POOLS_MAX ? m->pools[i] : NULL;
}

struct pool *
pools_find(const struct master *m, const char *name)
{
	struct pool *p = NULL;

	while ((p = pools_next(m, p)) != NULL)
		if (!p->is_leaving && strcmp(p->name, name) == 0)
			return p;
	return NULL;
}

uint32_t
pools_count(const struct master *m)
{
	const struct pool *p = NULL;
	uint32_t n = 0;

	while ((p = pools_next(m, p)) != NULL)
		n++;
	return n;
}

struct process *
pools_process(const struct master *m, pid_t pid)
{
	struct pool *p = NULL;
	struct moldlink *l;
	struct child *c;

	while ((p = pools_next(m, p)) != NULL) {
		c = pool_by_pid(p, pid);
		if (c != NULL)
			return &c->process;
		l = pool_mold_by_pid(p, pid);
		if (l != NULL)
			return &l->process;
	}
	return NULL;
}

struct pool *
pools_add(struct master *m, const char *name)
{
	uint32_t i = 1;

	while (i < RFK_POOLS_MAX && m->pools[i] != NULL)
		i++;
	return pools_add_at(m, i, name);
}

struct pool *
pools_add_at(struct master *m, uint32_t i, const char *name)
{
	struct pool *p = NULL;
	int rc = i < RFK_POOLS_MAX && m->pools[i] == NULL
		     ? board_grow(m->board_fd, i + 1)
		     : -ENOSPC;

	if (rc == 0)
		p = calloc(1, sizeof(*p));
	if (p == NULL) {
		log_error("pool=%s: %s", name,
		    rc == 0         ? "no memory"
		    : rc == -ENOSPC ? "too many pools"
				    : strerror(-rc));
		return NULL;
	}
	if (pool_init(p, m, i, name) < 0) {
		log_error("pool=%s: no memory", name);
		pool_fini(p);
		free(p);
		return NULL;
	}
	m->pools[i] = p;
	return p;
}

void
pools_boot(struct pool *p)
{
	struct fail why = FAIL_INIT;

	p->mold = moldlink_boot(p, p->last_generation, &why);
	if (p->mold == NULL)
		pools_boot_failed(p, why.text, false);
}

void
pools_boot_failed(struct pool *p, const char *cause, bool has_said)
{
	char text[640];
	double seconds;

	p->not_before_ms =
	    clock_ms() + refork_backoff_ms(++p->boot_failures + 1);
	seconds = (double)(p->not_before_ms - clock_ms()) / 1e3;
	snprintf(p->boot_why, sizeof(p->boot_why), "%s", cause);
	if (!has_said)
		log_error("%sthe mold failed to boot (%s): again in %.1fs",
		    p->label, cause, seconds);
	else
		log_error("%sthe mold failed to boot, for what it has said "
			  "above: again in %.1fs",
		    p->label, seconds);
	lease_refuse_waiting(
	    p, "boot_failed", lease_no_boot(p, text, sizeof(text)));
	if (pool_is_default(p))
		strangers_no_boot(p->master, cause);
	listeners_undo(&p->next_listeners);
	p->bind_tries = 0;
	pools_say_ready(p->master);
	pool_touch(p);
}

void
pools_leave(struct pool *p, const char *why)
{
	if (p->is_leaving)
		return;
	log_info("%sdrains: %s", p->label, why);
	p->is_leaving = true;
	pool_stop(p, true);
	keys_follow(p);
}

/* One name of the list, whose length is taken from it. */
static size_t
name_take(const char *list, char *name, size_t size)
{
	size_t len = strcspn(list, ",");

	snprintf(name, size, "%.*s", (int)len, list);
	return list[len] != '\0' ? len + 1 : len;
}

static bool
is_named(const char *list, const char *name)
{
	char one[sizeof(((struct pool *)0)->name)];

	while (*list != '\0') {
		list += name_take(list, one, sizeof(one));
		if (strcmp(one, name) == 0)
			return true;
	}
	return false;
}

void
pools_renew(struct pool *p)
{
	if (p->is_settled) {
		(void)succession_start(p, SUCCESSION_RELOAD, true, UINT32_MAX,
		    "the file is read again");
		return;
	}
	/* It has never come up: what the file says now is tried at once. */
	p->boot_failures = 0;
	p->not_before_ms = 0;
	if (p->mold != NULL)
		moldlink_kill(p->mold, "the file is read again");
	pool_touch(p);
}

void
pools_follow(struct master *m)
{
	const char *list = m->pool.settings.pool;
	char name[sizeof(m->pool.name)];
	struct pool *p = &m->pool;

	service_follow(m);
	while ((p = pools_next(m, p)) != NULL)
		if (!service_is(p) && p->keyed.of == NULL &&
		    !is_named(list, p->name))
			pools_leave(p, "it is not in the file any more");
	while (*list != '\0') {
		list += name_take(list, name, sizeof(name));
		p = pools_find(m, name);
		if (p != NULL)
			pools_renew(p);
		else if ((p = pools_add(m, name)) != NULL)
			pools_boot(p);
	}
}

void
pools_say_ready(struct master *m)
{
	struct pool *p = NULL;

	if (m->is_ready || !m->pool.serving)
		return;
	while ((p = pools_next(m, p)) != NULL)
		if (!service_is(p) && p->keyed.of == NULL && !p->serving &&
		    p->boot_failures == 0 && p->failures == 0)
			return;
	m->is_ready = true;
	if (m->strangers.left == 0)
		inherit_over(m);
	master_says_ready(m);
}

static void
forget(struct master *m, struct pool *p)
{
	struct pool *pattern = p->keyed.of;

	log_info("%shas ended", p->label);
	inquiry_pool_gone(p);
	m->pools[p->index] = NULL;
	pool_fini(p);
	free(p);
	if (pattern != NULL)
		keys_room(pattern);
}

/* There was work, and there is none any more. */
static void
look_at_work(struct master *m)
{
	struct pool *p = NULL;
	bool was = false;

	while ((p = pools_next(m, p)) != NULL) {
		if (!tasks_over(p))
			return;
		was = was || p->settings.kind == RFK_KIND_RUN;
		if (p->has_failed_run)
			m->exit_status = 1;
	}
	if (was)
		master_stop(m, true, "the end of all work");
}

void
pools_reconcile(struct master *m)
{
	struct pool *p = NULL, *gone;
	bool all = true;

	failures_limit(m);
	while ((p = pools_next(m, p)) != NULL) {
		if (service_is(p))
			pool_touch(p); /* it follows another's events */
		/* after_monitor_ready goes before the first FORK. */
		hooks_step(p);
		pool_reconcile(p);
		hooks_step(p);
		all = all && p->has_ended;
	}
	if (m->phase >= MASTER_STOPPING) {
		if (all && m->strangers.left == 0)
			ev_break(m->loop, EVBREAK_ALL);
		return;
	}
	if (m->phase == MASTER_SERVING)
		look_at_work(m);
	for (p = pools_next(m, &m->pool); p != NULL;) {
		gone = p->has_ended && !keys_any(p) ? p : NULL;
		p = pools_next(m, p);
		if (gone != NULL)
			forget(m, gone);
	}
}

void
pools_stop(struct master *m, bool graceful)
{
	struct pool *p = NULL;

	while ((p = pools_next(m, p)) != NULL)
		pool_stop(p, graceful);
	if (graceful) /* strangers answer who is queued there */
		listeners_cut(&m->inherited);
}

void
pools_kill(struct master *m, const char *why)
{
	struct pool *p = NULL;
	uint32_t i;

	while ((p = pools_next(m, p)) != NULL) {
		for (i = 0; i < 2 * p->slots; i++)
			if (child_lives(&p->children[i]))
				child_kill(&p->children[i], LIFE_KILL,
				    "still there at %s", why);
		if (p->mold != NULL)
			moldlink_kill(p->mold, "%s has passed", why);
	}
}

/* The default pool last: it may still log for the others. */
void
pools_close(struct master *m)
{
	uint32_t i;

	for (i = RFK_POOLS_MAX; i-- > 1;) {
		if (m->pools[i] == NULL)
			continue;
		pool_fini(m->pools[i]);
		free(m->pools[i]);
		m->pools[i] = NULL;
	}
	pool_fini(&m->pool);
}
