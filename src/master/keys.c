/*
 * keys.c - the pools of a pool's keys: found, made, ended.
 */
#include "master/keys.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/leasekey.h"
#include "base/log.h"
#include "master/leases.h"
#include "master/master.h"

bool
keys_is_pattern(const struct pool *p)
{
	return p->keyed.of == NULL && p->settings.kind == RFK_KIND_LEASE &&
	       p->settings.key[0] != '\0';
}

const char *
keys_name(const struct pool *p)
{
	return p->keyed.of != NULL ? p->keyed.of->name : p->name;
}

/* The pools of its keys, one after the other; NULL begins and ends. */
static struct pool *
next_of(const struct pool *pattern, const struct pool *p)
{
	struct pool *next = pools_next(pattern->master, p);

	while (next != NULL && next->keyed.of != pattern)
		next = pools_next(pattern->master, next);
	return next;
}

bool
keys_any(const struct pool *pattern)
{
	return next_of(pattern, NULL) != NULL;
}

static bool
in_use(const struct pool *p)
{
	const struct leases *leases = p->master->leases;
	const struct lease *l;

	if (leases == NULL)
		return false;
	TAILQ_FOREACH(l, &leases->list, link)
	if (l->pool == p)
		return true;
	return false;
}

static bool
has_mold(struct pool *p)
{
	size_t i;

	for (i = 0; i < POOL_MOLDS; i++)
		if (pool_mold_at(p, i) != NULL)
			return true;
	return false;
}

/* Whether p is given up before q: one that does not boot, then who was used
 * longest ago. */
static bool
goes_before(struct pool *p, struct pool *q)
{
	if (has_mold(p) != has_mold(q))
		return !has_mold(p);
	return p->keyed.used_ms < q->keyed.used_ms;
}

/* Those that live; *oldest: the one to give up for another, or NULL. */
static uint32_t
living(const struct pool *pattern, struct pool **oldest)
{
	struct pool *p = NULL;
	uint32_t n = 0;

	*oldest = NULL;
	while ((p = next_of(pattern, p)) != NULL) {
		if (p->is_leaving)
			continue;
		n++;
		if (!in_use(p) && (*oldest == NULL || goes_before(p, *oldest)))
			*oldest = p;
	}
	return n;
}

static struct pool *
find(const struct pool *pattern, const struct buf *key)
{
	struct pool *p = NULL;

	while ((p = next_of(pattern, p)) != NULL)
		if (!p->is_leaving && leasekey_same(&p->keyed.key, key))
			return p;
	return NULL;
}

/* --- the timer --------------------------------------------------------- */

static void
idle_in(struct pool *p, int64_t ms)
{
	struct ev_loop *loop = p->master->loop;

	ev_timer_stop(loop, &p->keyed.idle);
	ev_timer_set(&p->keyed.idle, (double)ms / 1e3, 0.);
	ev_now_update(loop);
	ev_timer_start(loop, &p->keyed.idle);
}

/* It does not follow every lease: it looks, and waits for what is left. */
static void
on_idle(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct pool *p = w->data, *oldest;
	const struct rfk_settings_table *s = &p->keyed.of->settings;
	int64_t left =
	    s->idle_timeout - (int64_t)(clock_ms() - p->keyed.used_ms);
	char why[96];

	(void)loop;
	(void)revents;
	if (pool_is_stopping(p))
		return;
	if (in_use(p)) {
		idle_in(p, s->idle_timeout);
	} else if (left > 0 &&
		   living(p->keyed.of, &oldest) <= (uint32_t)s->max_molds) {
		idle_in(p, left);
	} else {
		snprintf(why, sizeof(why), "no lease for %.1fs (idle_timeout)",
		    (double)(clock_ms() - p->keyed.used_ms) / 1e3);
		pools_leave(p, why);
	}
}

void
keys_init(struct pool *p)
{
	ev_timer_init(&p->keyed.idle, on_idle, 1., 0.);
	p->keyed.idle.data = p;
}

void
keys_fini(struct pool *p)
{
	ev_timer_stop(p->master->loop, &p->keyed.idle);
	buf_fini(&p->keyed.key);
}

void
keys_used(struct pool *p)
{
	p->keyed.used_ms = clock_ms();
}

/* --- made -------------------------------------------------------------- */

/*
 * Until its own mold has spoken the pattern's settings are its own: how long a
 * boot may take, how many may wait.
 */
static int
set_up(struct pool *p, struct pool *pattern, struct buf *take_key)
{
	char why[160], text[200];
	int rc = settings_decode(&p->settings, pattern->block.data,
	    pattern->block.len, why, sizeof(why));

	p->settings.personality = pattern->settings.personality;
	p->keyed.of = pattern;
	p->keyed.key = *take_key;
	*take_key = (struct buf)BUF_INIT;
	snprintf(p->keyed.names, sizeof(p->keyed.names), "%s",
	    pattern->settings.key);
	keys_used(p);
	idle_in(p, p->settings.idle_timeout);
	log_info("%sa mold for %s", p->label,
	    leasekey_text(&p->keyed.key, text, sizeof(text)));
	return rc;
}

static struct pool *
make(struct pool *pattern, struct buf *take_key, struct fail *why)
{
	char name[sizeof(pattern->name)];
	struct pool *p = NULL;

	if (pools_count(pattern->master) >= RFK_POOLS_MAX) {
		fail_set(why, ENOSPC,
		    "the server has no room for one more key: %d pools and "
		    "keys at once (max_molds of each pool)",
		    RFK_POOLS_MAX);
		return NULL;
	}
	snprintf(name, sizeof(name), "%.31s.%u", pattern->name,
	    ++pattern->keyed.made);
	p = pools_add(pattern->master, name);
	if (p == NULL || set_up(p, pattern, take_key) < 0) {
		fail_set(why, ENOMEM, "the master has no memory");
		if (p != NULL)
			pools_leave(p, "no memory");
		return NULL;
	}
	return p;
}

/* Room for one more: false when each that lives has leases. */
static bool
make_room(struct pool *pattern, struct fail *why)
{
	uint32_t max = (uint32_t)pattern->settings.max_molds;
	const char *place =
	    settings_place(&pattern->settings, RFK_SET_max_molds);
	struct pool *oldest;

	while (living(pattern, &oldest) >= max) {
		if (oldest == NULL) {
			fail_set(why, ENOSPC,
			    "pool %s has sessions with %u keys at once: end "
			    "one, or raise max_molds%s%s",
			    pattern->name, max, *place != '\0' ? " in " : "",
			    place);
			return false;
		}
		pools_leave(oldest, "another key needs the room (max_molds)");
	}
	return true;
}

struct pool *
keys_pool(struct pool *pattern, const struct lease *l, const char **code,
    struct fail *why)
{
	struct buf key = BUF_INIT;
	struct pool *p = NULL;
	int rc = leasekey_make(&key, pattern->settings.key, &l->fields, why);

	*code = rc == -EPROTO ? "protocol" : "limit";
	if (rc == -ENOMEM)
		fail_set(why, ENOMEM, "the master has no memory");
	if (rc == 0)
		p = find(pattern, &key);
	if (rc == 0 && p == NULL && make_room(pattern, why))
		p = make(pattern, &key, why);
	buf_fini(&key);
	return p;
}

bool
keys_may_boot(struct pool *p)
{
	const struct pool *pattern = p->keyed.of;
	struct pool *other = NULL;
	uint32_t n = 0;

	if (pattern == NULL)
		return true;
	while ((other = next_of(pattern, other)) != NULL)
		n += has_mold(other);
	return lease_waiting(p) != NULL &&
	       n < (uint32_t)pattern->settings.max_molds;
}

void
keys_room(struct pool *pattern)
{
	struct pool *p = NULL;

	while ((p = next_of(pattern, p)) != NULL) {
		pool_touch(p);
		pool_reconcile(p);
	}
}

/* --- changed ----------------------------------------------------------- */

/* They came before the pool's mold had said that there is a key. */
static void
enter_again(struct pool *pattern)
{
	struct leases *leases = pattern->master->leases;
	struct lease *l, *next;

	if (leases == NULL || !keys_is_pattern(pattern))
		return;
	for (l = TAILQ_FIRST(&leases->list); l != NULL; l = next) {
		next = TAILQ_NEXT(l, link);
		if (l->pool == pattern && l->child == NULL)
			lease_enter(l, pattern);
	}
}

void
keys_follow(struct pool *pattern)
{
	struct pool *p = NULL;

	while ((p = next_of(pattern, p)) != NULL)
		if (pattern->is_leaving)
			pools_leave(p, "its pool is not in the file any more");
		else if (strcmp(p->keyed.names, pattern->settings.key) != 0)
			pools_leave(p, "its pool has another key now");
		else if (!p->is_leaving) {
			pools_renew(p);
			idle_in(p, pattern->settings.idle_timeout);
		}
	enter_again(pattern);
}

void
keys_count(struct pool *pattern, struct spares *sum)
{
	struct pool *p = NULL;
	struct spares n;

	spares_count(pattern, sum);
	while ((p = next_of(pattern, p)) != NULL) {
		spares_count(p, &n);
		sum->ready += n.ready;
		sum->coming += n.coming;
		sum->leased += n.leased;
		sum->leaving += n.leaving;
		sum->waiting += n.waiting;
	}
}

int
keys_encode(const struct pool *p, struct buf *out)
{
	const char *at = p->keyed.key.data;
	const char *end = at + p->keyed.key.len;
	int rc = buf_printf(out, "instance=%s", p->name);

	if (rc == 0)
		rc = buf_put(out, "", 1);
	for (; rc == 0 && at < end; at += strlen(at) + 1) {
		rc = buf_puts(out, "key=");
		if (rc == 0)
			rc = buf_put(out, at, strlen(at) + 1);
	}
	return rc;
}
