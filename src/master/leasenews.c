/*
 * leasenews.c - what clients are told of the workers they have leased, and of
 * the pool these come from.
 */
#include <signal.h>

#include "base/clock.h"
#include "base/pidfd.h"
#include "master/leases.h"
#include "master/master.h"

static void
say_exited(const struct lease *l, const struct pidfd_exit *e)
{
	struct buf text = BUF_INIT;
	char name[16];
	int rc = record_begin(&text, "EXITED");

	if (rc == 0)
		rc = record_count(&text, "id", l->id);
	if (rc == 0 && e->code == CLD_EXITED)
		rc = record_signed(&text, "status", e->status);
	else if (rc == 0 && e->code != 0)
		rc = record_text(&text, "signal",
		    leaseline_signal_name(e->status, name, sizeof(name)));
	if (rc == 0)
		leases_say(l->client, &text, NULL, 0);
	buf_fini(&text);
}

void
lease_child_gone(struct child *c, const struct pidfd_exit *e)
{
	struct lease *l = c->lease;

	if (l == NULL)
		return;
	say_exited(l, e);
	lease_free(l);
}

/*
 * A session has as long to end by itself as a worker to drain; how it is told
 * is the client's affair.
 */
void
lease_child_quits(struct child *c, uint64_t limit_ms)
{
	struct lease *l = c->lease;
	struct buf text = BUF_INIT;
	bool stops = pool_is_stopping(c->pool);

	if (l == NULL)
		return;
	if (record_begin(&text, "DRAIN") == 0 &&
	    record_count(&text, "id", l->id) == 0 &&
	    record_text(&text, "why", stops ? "stop" : "limit") == 0 &&
	    record_count(&text, "by", limit_ms / 1000) == 0)
		leases_say(l->client, &text, NULL, 0);
	buf_fini(&text);
}

/* To each client that has a worker of an older one. */
void
lease_generation(struct pool *p)
{
	struct leases *leases = p->master->leases;
	struct lease_client *c;
	struct lease *l;
	struct buf text = BUF_INIT;

	if (!spares_kept(p))
		lease_elsewhere(p);
	if (leases == NULL || p->mold == NULL)
		return;
	TAILQ_FOREACH(c, &leases->clients, link)
	{
		TAILQ_FOREACH(l, &leases->list, link)
		if (l->client == c && l->pool == p)
			break;
		if (l == NULL)
			continue;
		if (record_begin(&text, "GEN") == 0 &&
		    record_text(&text, "pool", keys_name(p)) == 0 &&
		    record_count(&text, "gen", p->generation) == 0 &&
		    record_signed(&text, "mold", p->mold->process.pid) == 0)
			leases_say(c, &text, NULL, 0);
	}
	buf_fini(&text);
}

static void
say_stat(struct lease_client *c, struct pool *p)
{
	struct buf text = BUF_INIT;
	struct spares n;

	keys_count(p, &n);
	if (record_begin(&text, "STAT") == 0 &&
	    record_text(&text, "pool", keys_name(p)) == 0 &&
	    record_count(&text, "gen", p->generation) == 0 &&
	    record_signed(&text, "max", p->settings.max) == 0 &&
	    record_count(&text, "spare", p->wanted) == 0 &&
	    record_count(&text, "ready", n.ready) == 0 &&
	    record_count(&text, "leased", n.leased) == 0 &&
	    record_count(&text, "waiting", n.waiting) == 0 &&
	    record_count(&text, "booting", n.coming) == 0)
		leases_say(c, &text, NULL, 0);
	buf_fini(&text);
}

void
lease_stat(struct lease_client *c, const struct leaseline *line)
{
	struct pool *p = lease_pool(c, line);

	if (p != NULL)
		say_stat(c, p);
}
