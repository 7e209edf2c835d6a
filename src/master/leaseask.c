/*
 * leaseask.c - what a client asks: LEASE, SIGNAL, RELEASE. What is wrong is
 * answered, and its descriptors are closed.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/pidfd.h"
#include "base/rights.h"
#include "master/leases.h"
#include "master/master.h"
#include "master/pools.h"

/* Leases that wait: each may hold five descriptors. */
#define WAITING_MAX 64u
#define WITHIN_MAX_S 86400u

static bool
same_umask(struct lease *l, const struct leaseline *line)
{
	const char *text = leaseline_text(line, "umask");
	char *end;
	unsigned long value;

	l->umask = UINT32_MAX;
	if (*text == '\0')
		return true;
	value = strtoul(text, &end, 8);
	l->umask = (uint32_t)value;
	return *text >= '0' && *text <= '7' && *end == '\0' && value <= 0777;
}

static int
fields_keep(struct lease *l, const struct leaseline *line)
{
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && i < line->record.n; i++) {
		rc = buf_printf(&l->fields, "%s=%s", line->record.field[i].name,
		    line->record.field[i].value);
		if (rc == 0)
			rc = buf_put(&l->fields, "", 1);
	}
	return rc;
}

/* The descriptors in the order of their meaning. */
static void
fds_keep(struct lease *l, const int *place, const int *take_fds)
{
	int i;

	for (i = 0; i < LEASELINE_FDS_MAX; i++)
		if (place[i] >= 0) {
			l->fds[l->nfds++] = take_fds[place[i]];
			l->has |= 1u << i;
		}
}

/* One that boots yet is what its file says, once that is read. */
static bool
may_lease(const struct pool *p)
{
	const struct moldlink *l = p->mold;

	if (p->keyed.of != NULL || p->is_leaving)
		return false;
	if (p->is_settled)
		return spares_kept(p);
	return l == NULL || !l->has_settings ||
	       l->settings.kind == RFK_KIND_LEASE;
}

/* For who names none: the first, better one that has not failed to boot. */
static struct pool *
first_pool(const struct master *m)
{
	struct pool *p = NULL, *failed = NULL;

	while ((p = pools_next(m, p)) != NULL) {
		if (!may_lease(p))
			continue;
		if (p->is_settled || p->boot_failures == 0)
			return p;
		if (failed == NULL)
			failed = p;
	}
	return failed;
}

/*
 * One that boots yet may be for lease: that is seen when it has booted. A key's
 * own pool is had by the key.
 */
struct pool *
lease_pool(struct lease_client *c, const struct leaseline *line)
{
	const char *name = leaseline_text(line, "pool");
	const struct master *m = c->leases->master;
	struct pool *p = *name != '\0' ? pools_find(m, name) : NULL;

	if (p != NULL && p->keyed.of == NULL &&
	    (spares_kept(p) || !p->is_settled))
		return p;
	p = *name == '\0' ? first_pool(m) : NULL;
	if (p != NULL)
		return p;
	leases_refuse(c, "no_pool", 0, "no pool %s%sworkers for lease", name,
	    *name != '\0' ? " has " : "has ");
	return NULL;
}

const char *
lease_no_boot(const struct pool *p, char *out, size_t cap)
{
	uint64_t now = clock_ms();

	(void)snprintf(out, cap, "pool %s does not boot: %s (again in %.1fs)",
	    keys_name(p), p->boot_why,
	    p->not_before_ms > now ? (double)(p->not_before_ms - now) / 1e3
				   : 0.);
	return out;
}

/* With those of its other keys: they all hold descriptors. */
static uint32_t
waiting(const struct pool *p)
{
	const struct lease *l;
	uint32_t n = 0;

	TAILQ_FOREACH(l, &p->master->leases->list, link)
	n += l->child == NULL && l->pool != NULL &&
	     strcmp(keys_name(l->pool), keys_name(p)) == 0;
	return n;
}

/* A pool that cannot give one, now or later, says so at once. */
static bool
pool_can(struct lease_client *c, struct pool *p)
{
	uint32_t max = (uint32_t)p->settings.max;
	struct spares n;
	char text[640];

	if (pool_is_stopping(p)) {
		leases_refuse(c, "stopping", 0, "reforkd is stopping");
		return false;
	}
	/* A key is tried again when somebody wants it, and not before. */
	if (!p->is_settled && p->boot_failures > 0 &&
	    (p->keyed.of == NULL || clock_ms() < p->not_before_ms)) {
		leases_refuse(c, "boot_failed", 0, "%s",
		    lease_no_boot(p, text, sizeof(text)));
		return false;
	}
	spares_count(p, &n);
	/* Before its mold has spoken nobody knows max. */
	if (p->is_settled && n.leased + n.waiting >= max) {
		leases_refuse(c, "limit", 0,
		    "pool %s leases %u workers at once (max)", keys_name(p),
		    max);
		return false;
	}
	if (waiting(p) >= WAITING_MAX) {
		leases_refuse(c, "busy", 0, "%u leases of pool %s wait already",
		    waiting(p), keys_name(p));
		return false;
	}
	return true;
}

void
lease_enter(struct lease *l, struct pool *p)
{
	const struct rfk_settings_table *s;
	struct fail why = FAIL_INIT;
	const char *code;

	l->pool = NULL;
	if (keys_is_pattern(p) && !pool_is_stopping(p)) {
		p = keys_pool(p, l, &code, &why);
		if (p == NULL)
			leases_refuse(l->client, code, 0, "%s", why.text);
	}
	if (p == NULL || !pool_can(l->client, p)) {
		lease_free(l);
		return;
	}
	l->pool = p;
	s = &p->settings;
	l->within_ms = (uint64_t)s->release_timeout;
	lease_kill_at(
	    l, (uint64_t)(moldlink_usable(p->mold) ? s->spawn_timeout
						   : s->boot_timeout));
	keys_used(p);
	pool_touch(p);
	spares_step(p); /* now, and not at the end of the turn */
}

static struct lease *
lease_make(struct lease_client *c)
{
	struct lease *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->leases = c->leases;
	l->client = c;
	l->id = ++c->leases->last_id;
	l->asked_ms = clock_ms();
	TAILQ_INSERT_TAIL(&c->leases->list, l, link);
	lease_limit_init(l);
	return l;
}

void
lease_take(struct lease_client *c, const struct leaseline *line, int *take_fds,
    int nfds)
{
	struct pool *p = lease_pool(c, line);
	struct fail why = FAIL_INIT;
	int place[LEASELINE_FDS_MAX];
	struct lease *l = NULL;

	if (p == NULL)
		goto out;
	if (leaseline_places(line, nfds, place, &why) < 0) {
		leases_refuse(c, "protocol", 0, "%s", why.text);
		goto out;
	}
	l = lease_make(c);
	if (l == NULL || fields_keep(l, line) < 0) {
		leases_refuse(c, "busy", 0, "the master has no memory");
		goto out;
	}
	if (!same_umask(l, line)) {
		leases_refuse(c, "protocol", 0, "umask is octal, 0 to 777");
		goto out;
	}
	fds_keep(l, place, take_fds);
	l->is_any = *leaseline_text(line, "pool") == '\0';
	lease_enter(l, p);
	return;
out:
	if (l != NULL)
		lease_free(l);
	rights_close(take_fds, nfds);
}

/* They waited for a pool that has booted, and does not lease. */
void
lease_elsewhere(struct pool *p)
{
	struct leases *leases = p->master->leases;
	struct lease *l, *next;
	struct pool *other;

	for (l = leases != NULL ? TAILQ_FIRST(&leases->list) : NULL; l != NULL;
	     l = next) {
		next = TAILQ_NEXT(l, link);
		if (l->pool != p || l->child != NULL)
			continue;
		other = l->is_any ? first_pool(p->master) : NULL;
		if (other != NULL)
			lease_enter(l, other);
	}
	lease_refuse_waiting(
	    p, "no_pool", "the pool's workers are not for lease");
}

static struct lease *
lease_find(struct lease_client *c, const struct leaseline *line)
{
	struct lease *l;
	uint64_t id = 0;

	if (leaseline_count(line, "id", UINT64_MAX, &id) == 0)
		TAILQ_FOREACH(l, &c->leases->list, link)
	if (l->id == id && l->client == c)
		return l;
	leases_refuse(c, "no_lease", id, "this client holds no such lease");
	return NULL;
}

void
lease_signal(struct lease_client *c, const struct leaseline *line)
{
	int signo = leaseline_signal(leaseline_text(line, "signal"));
	struct lease *l = lease_find(c, line);

	if (l == NULL)
		return;
	if (signo < 0)
		leases_refuse(c, "protocol", l->id, "no signal is called %s",
		    leaseline_text(line, "signal"));
	else if (l->child != NULL)
		(void)pidfd_signal(l->child->process.pidfd, signo);
}

void
lease_release(struct lease_client *c, const struct leaseline *line)
{
	const char *name = leaseline_text(line, "signal");
	int signo = *name != '\0' ? leaseline_signal(name) : SIGTERM;
	struct lease *l = lease_find(c, line);
	uint64_t within_s;
	int rc;

	if (l == NULL)
		return;
	rc = leaseline_count(line, "within", WITHIN_MAX_S, &within_s);
	if (signo < 0 || rc == -EPROTO) {
		leases_refuse(c, "protocol", l->id, "%s",
		    signo < 0 ? "no such signal"
			      : "within is whole seconds, 86400 at most");
		return;
	}
	if (rc == 0)
		l->within_ms = within_s * 1000;
	if (l->child != NULL)
		lease_end(l, signo, l->within_ms);
}
