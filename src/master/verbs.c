/*
 * verbs.c - what reforkctl's requests do (reforkd/verbs.def).
 *
 * Whatever a verb sets in motion happens in the loop: refork and reload end
 * later, when the succession tells its outcome.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <reforkd/version.h>

#include "base/log.h"
#include "master/control.h"
#include "master/inquiry.h"
#include "master/line.h"
#include "master/master.h"
#include "master/service.h"

typedef void verb_run(struct control_client *, const struct line *);

static const char *
phase_refusal(const struct master *m)
{
	switch (m->phase) {
	case MASTER_SERVING:
		return NULL;
	case MASTER_BOOTING:
		return "the master is still booting its first mold";
	case MASTER_STOPPING:
	case MASTER_KILLING:
		break;
	}
	return "the master is stopping";
}

/* The pool that the line names, `default` when it names none; NULL: it has
 * ended the verb. */
static struct pool *
pool_named(struct control_client *c, const struct line *line)
{
	struct master *m = control_master(c);
	struct pool *pool =
	    line->pool != NULL ? pools_find(m, line->pool) : &m->pool;
	char text[128];

	if (pool != NULL)
		return pool;
	(void)snprintf(text, sizeof(text),
	    "there is no pool %.40s (reforkctl status lists them)", line->pool);
	control_end(c, 1, text);
	return NULL;
}

/* The same, where nothing is begun while the master boots or stops. */
static struct pool *
pool_meant(struct control_client *c, const struct line *line)
{
	const char *refusal = phase_refusal(control_master(c));
	struct pool *pool;

	if (refusal == NULL) {
		pool = pool_named(c, line);
		if (pool == NULL || !service_is(pool))
			return pool;
		refusal = "the service follows the default pool";
	}
	control_end(c, 1, refusal);
	return NULL;
}

/* The same, for what is done to workers: a key has its own. */
static struct pool *
workers_meant(struct control_client *c, const struct line *line)
{
	struct pool *pool = pool_meant(c, line);

	if (pool == NULL || !keys_is_pattern(pool))
		return pool;
	control_end(c, 1,
	    "each key of this pool has workers of its own: name it as "
	    "reforkctl status does, POOL.1");
	return NULL;
}

/* refork, reload */

/* The first outcome of a queued request is the one it was queued behind. */
static void
on_outcome(void *arg, int rc, const char *text)
{
	struct control_client *c = arg;
	struct control_wait *waits = control_waits(c);

	if (waits->n > 0)
		waits->n--;
	if (waits->n == 0) {
		control_end(c, rc < 0, text);
		return;
	}
	rc = outcome_wait(waits->pool, on_outcome, c);
	if (rc < 0)
		control_end(
		    c, 1, "it is under way, but nobody can wait for it");
}

static void
begin(struct control_client *c, struct pool *pool, const struct line *line,
    enum succession_kind kind, const char *name)
{
	char text[128];
	int rc = succession_start(pool, kind, true, line->slot, control_who(c));

	if (rc < 0) {
		(void)snprintf(text, sizeof(text), "no %s now: %s", name,
		    rc == -ESRCH || rc == -ENOENT ? "no worker that could be "
						    "the next mold"
						  : strerror(-rc));
		control_end(c, 1, text);
		return;
	}
	if (rc == 0 && pool->succession.stage == SUCCESSION_NONE &&
	    (pool->is_settled || !pool_is_default(pool))) {
		/* It has failed already. */
		control_end(c, 1, pool->succession.last_text);
		return;
	}
	(void)snprintf(text, sizeof(text), "%s %s", name,
	    rc == 1 ? "is queued behind the one under way" : "has begun");
	if (line->no_wait) {
		control_end(c, 0, text);
		return;
	}
	*control_waits(c) =
	    (struct control_wait){ .n = rc == 1 ? 2 : 1, .pool = pool };
	rc = outcome_wait(pool, on_outcome, c);
	if (rc < 0) {
		(void)snprintf(text, sizeof(text),
		    "%s is under way, but nobody can wait for it: %s", name,
		    strerror(-rc));
		control_end(c, 1, text);
	}
}

static void
run_refork(struct control_client *c, const struct line *line)
{
	struct pool *pool = workers_meant(c, line);
	char text[128];

	if (pool == NULL)
		return;
	if (line->slot != UINT32_MAX &&
	    (line->slot >= pool->slots ||
		pool_serving(pool, line->slot) == NULL)) {
		(void)snprintf(text, sizeof(text),
		    "no worker %" PRIu32 " serves", line->slot);
		control_end(c, 1, text);
	} else {
		begin(c, pool, line, SUCCESSION_REFORK, "refork");
	}
}

static void
run_reload(struct control_client *c, const struct line *line)
{
	struct pool *pool = pool_meant(c, line);

	if (pool == NULL)
		return;
	if (pool_is_default(pool))
		notify_reload(control_master(c));
	begin(c, pool, line, SUCCESSION_RELOAD, "reload");
}

static void
run_restart(struct control_client *c, const struct line *line)
{
	struct master *m = control_master(c);
	const char *refusal = phase_refusal(m);
	struct fail why = FAIL_INIT;

	if (refusal == NULL && line->pool != NULL)
		refusal = "a restart is the whole master's, not a pool's";
	if (refusal != NULL)
		control_end(c, 1, refusal);
	else if (restart_start(
		     m, line->no_wait ? NULL : c, control_who(c), &why) < 0)
		control_end(c, 1, why.text);
	else if (line->no_wait)
		control_end(c, 0, "restart has begun");
}

/* The client of a restart, in the program that has come: the reload's end. */
void
verbs_resume(struct control_client *c, struct pool *pool)
{
	*control_waits(c) = (struct control_wait){ .n = 1, .pool = pool };
	if (outcome_wait(pool, on_outcome, c) < 0)
		control_end(c, 1, "nobody can wait for it");
}

/* The others end at once. */

static void
run_scale(struct control_client *c, const struct line *line)
{
	struct pool *pool = workers_meant(c, line);
	const uint32_t from = pool != NULL ? pool->wanted : 0;
	uint32_t to = line->scale_to;
	char text[128];

	if (pool == NULL)
		return;
	if (line->scale_by > 0)
		to = from < RFK_SLOTS_MAX ? from + 1 : from;
	else if (line->scale_by < 0)
		to = from > 0 ? from - 1 : 0;
	pool_scale(pool, to, control_who(c));
	(void)snprintf(text, sizeof(text),
	    "%" PRIu32 " workers are wanted, %" PRIu32 " were", pool->wanted,
	    from);
	control_end(c, 0, text);
}

static void
run_status(struct control_client *c, const struct line *line)
{
	(void)line;
	status_say(control_master(c), c);
	control_end(c, 0, NULL);
}

static void
run_deaths(struct control_client *c, const struct line *line)
{
	(void)line;
	status_deaths(control_master(c), c);
	control_end(c, 0, NULL);
}

static void
run_reopen(struct control_client *c, const struct line *line)
{
	(void)line;
	log_info("reopen: %s", control_who(c));
	master_reopen(control_master(c));
	control_end(c, 0, "logs are being reopened");
}

/* The answer first: the loop may end before another turn. */
static void
run_stop(struct control_client *c, const struct line *line)
{
	control_end(c, 0, line->now ? "stopping now" : "stopping gracefully");
	master_stop(control_master(c), !line->now, control_who(c));
}

static void
run_version(struct control_client *c, const struct line *line)
{
	(void)line;
	control_say(c, "version reforkd=%s protocol=%u pid=%d", RFK_VERSION,
	    RFK_PROTOCOL, (int)getpid());
	control_end(c, 0, NULL);
}

/* Behind a record: whose it is, where there is more than one pool. */
static const char *
whose(const struct pool *pool, char out[64])
{
	(void)snprintf(out, 64, "%s%s", pool_is_default(pool) ? "" : " pool=",
	    pool_is_default(pool) ? "" : pool->name);
	return out;
}

static void
say_mold(struct control_client *c, const struct moldlink *mold)
{
	char pool[64];

	if (mold != NULL && mold->process.pid > 0)
		control_say(c, "pid pid=%d role=mold generation=%" PRIu32 "%s",
		    (int)mold->process.pid, mold->generation,
		    whose(mold->pool, pool));
}

static void
say_pids(struct control_client *c, const struct pool *pool)
{
	char text[64];
	uint32_t i;

	say_mold(c, pool->mold);
	say_mold(c, pool->succession.next);
	for (i = 0; i < POOL_OLD_MOLDS; i++)
		say_mold(c, pool->old[i]);
	for (i = 0; i < 2 * pool->slots; i++) {
		const struct child *child = &pool->children[i];

		if (child_lives(child) && child->process.pid > 0)
			control_say(c,
			    "pid pid=%d role=worker generation=%" PRIu32
			    " slot=%" PRIu32 "%s",
			    (int)child->process.pid, child->generation,
			    child->slot, whose(pool, text));
	}
}

static void
run_pids(struct control_client *c, const struct line *line)
{
	const struct pool *pool = NULL;

	(void)line;
	control_say(c, "pid pid=%d role=master", (int)getpid());
	while ((pool = pools_next(control_master(c), pool)) != NULL)
		say_pids(c, pool);
	control_end(c, 0, NULL);
}

static void
ask(struct control_client *c, const struct line *line, enum rfk_ask_what what)
{
	struct pool *pool = pool_named(c, line);

	if (pool != NULL)
		inquiry_begin(c, pool, what, line->slot);
}

static void
run_dumpstat(struct control_client *c, const struct line *line)
{
	ask(c, line, line->word != NULL ? RFK_ASK_PAGES : RFK_ASK_STATISTICS);
}

static void
run_gclog(struct control_client *c, const struct line *line)
{
	if (line->word == NULL)
		control_end(c, 1, "gclog takes on, off or read");
	else
		ask(c, line,
		    strcmp(line->word, "on") == 0    ? RFK_ASK_GCLOG_ON
		    : strcmp(line->word, "off") == 0 ? RFK_ASK_GCLOG_OFF
						     : RFK_ASK_GCLOG_READ);
}

void
verbs_run(struct control_client *c, char *text)
{
	static verb_run *const run[] = {
#define VERB(name, slot, scale, waits, words, help) run_##name,
#include <reforkd/verbs.def>
#undef VERB
	};
	struct fail why = FAIL_INIT;
	struct line line;

	control_waits(c)->n = 0;
	if (line_parse(&line, text, &why) < 0)
		control_end(c, 1, why.text);
	else
		run[line.verb](c, &line);
}

void
verbs_gone(struct control_client *c)
{
	struct pool *pool = NULL;

	restart_forget(control_master(c), c);
	while ((pool = pools_next(control_master(c), pool)) != NULL)
		outcome_forget(pool, c);
	inquiry_forget(c);
}
