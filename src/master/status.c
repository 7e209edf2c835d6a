/*
 * status.c - the records of `status` and `deaths`.
 *
 * Everything is read from memory: no /proc, so that a status costs the loop a
 * few copies of rows and nothing else. What is not known is left out.
 */
#include <inttypes.h>
#include <unistd.h>

#include <reforkd/version.h>

#include "base/clock.h"
#include "base/leasekey.h"
#include "base/record.h"
#include "ipc/board.h"
#include "master/control.h"
#include "master/leases.h"
#include "master/master.h"
#include "master/memory.h"

static void
say(struct control_client *c, struct buf *line)
{
	const char *text = buf_cstr(line);

	if (text != NULL)
		control_say(c, "%s", text);
}

static const char *
phase_name(enum master_phase phase)
{
	switch (phase) {
	case MASTER_BOOTING:
		return "BOOTING";
	case MASTER_SERVING:
		return "SERVING";
	case MASTER_STOPPING:
		return "STOPPING";
	case MASTER_KILLING:
		return "KILLING";
	}
	return "?";
}

static const char *
personality_name(enum rfk_personality personality)
{
	switch (personality) {
	case RFK_NATIVE:
		return "native";
	case RFK_UNICORN:
		return "unicorn";
	case RFK_PITCHFORK:
		return "pitchfork";
	}
	return "?";
}

static const char *
kind_name(enum rfk_kind kind)
{
	switch (kind) {
	case RFK_KIND_RACK:
		return "rack";
	case RFK_KIND_RUN:
		return "run";
	case RFK_KIND_LEASE:
		return "lease";
	case RFK_KIND_NONE:
		return "none";
	}
	return "?";
}

static const char *
mold_state_name(enum mold_state state)
{
	switch (state) {
	case MOLD_EVALUATING:
		return "EVALUATING";
	case MOLD_BINDING:
		return "BINDING";
	case MOLD_LOADING:
		return "LOADING";
	case MOLD_READY:
		return "READY";
	case MOLD_STOPPING:
		return "STOPPING";
	case MOLD_KILLED:
		return "KILLED";
	}
	return "?";
}

static const char *
stage_name(enum succession_stage stage)
{
	switch (stage) {
	case SUCCESSION_NONE:
		return "NONE";
	case SUCCESSION_ASKED:
		return "ASKED";
	case SUCCESSION_PREPARING:
		return "PREPARING";
	case SUCCESSION_CANARY:
		return "CANARY";
	case SUCCESSION_ROLLING:
		return "ROLLING";
	}
	return "?";
}

static const char *
work_name(uint32_t work)
{
	switch (work) {
	case RFK_WORK_NONE:
		return "none";
	case RFK_WORK_BOOTING:
		return "booting";
	case RFK_WORK_IDLE:
		return "idle";
	case RFK_WORK_BUSY:
		return "busy";
	case RFK_WORK_DRAINING:
		return "draining";
	case RFK_WORK_HOOK:
		return "hook";
	}
	return "?";
}

/* Rows come from other processes: a time from the future is no age. */
static uint64_t
age_ms(uint64_t since_ms)
{
	uint64_t now_ms = clock_ms();

	return since_ms == 0 || since_ms > now_ms ? 0 : now_ms - since_ms;
}

static void
say_master(const struct master *m, struct control_client *c, struct buf *line)
{
	const struct rfk_settings_table *set = &m->pool.settings;
	const char *config = set->config_file;

	if (config == NULL || *config == '\0')
		config = m->options != NULL && m->options->config != NULL
			     ? m->options->config
			     : "";
	(void)record_begin(line, "master");
	(void)record_count(line, "pid", (uint64_t)getpid());
	(void)record_text(line, "version", RFK_VERSION);
	(void)record_count(line, "uptime_ms", age_ms(m->started_ms));
	(void)record_text(line, "phase", phase_name(m->phase));
	(void)record_text(line, "config", config);
	(void)record_text(line, "cwd", m->cwd != NULL ? m->cwd : "");
	(void)record_text(line, "pid_file", m->pid_file);
	(void)record_text(
	    line, "personality", personality_name(set->personality));
	(void)record_text(line, "control",
	    m->control != NULL ? control_path(m->control) : "");
	if (m->leases != NULL)
		(void)record_text(line, "leases", leases_path(m->leases));
	(void)record_count(line, "deaths", m->deaths.total);
	say(c, line);
}

static void
say_pool(struct pool *pool, struct control_client *c, struct buf *line)
{
	const struct succession *succession = &pool->succession;
	uint32_t slot, serving = 0;
	char key[512];

	for (slot = 0; slot < pool->slots; slot++)
		serving += pool_serving(pool, slot) != NULL;
	(void)record_begin(line, "pool");
	(void)record_text(line, "name", pool->name);
	(void)record_text(
	    line, "kind", kind_name((enum rfk_kind)pool->settings.kind));
	if (pool->keyed.of != NULL) {
		(void)record_text(line, "of", keys_name(pool));
		(void)record_text(line, "key",
		    leasekey_text(&pool->keyed.key, key, sizeof(key)));
	}
	(void)record_count(line, "generation", pool->generation);
	(void)record_count(line, "wanted", pool->wanted);
	(void)record_count(line, "serving", serving);
	if (pool->mold != NULL) {
		(void)record_count(
		    line, "mold_pid", (uint64_t)pool->mold->process.pid);
		(void)record_text(
		    line, "mold_state", mold_state_name(pool->mold->state));
	}
	if (!pool->is_settled && pool->boot_failures > 0)
		(void)record_text(line, "boot_failed", pool->boot_why);
	(void)record_text(line, "refork_stage", stage_name(succession->stage));
	(void)record_count(line, "refork_queued", succession->queued);
	if (succession->stage != SUCCESSION_NONE)
		(void)record_text(line, "refork_why", succession->why);
	memory_say(pool->memory, line);
	if (succession->last_ms != 0) {
		(void)record_count(
		    line, "last_refork_ms", age_ms(succession->last_ms));
		(void)record_signed(
		    line, "last_refork_rc", succession->last_rc);
		(void)record_text(line, "last_refork", succession->last_text);
	}
	say(c, line);
}

static void
say_listeners(
    const struct pool *pool, struct control_client *c, struct buf *line)
{
	size_t i;

	for (i = 0; i < pool->listeners.n; i++) {
		if (listener_queue(&pool->listeners.at[i]) > 0)
			continue;
		(void)record_begin(line, "listener");
		(void)record_text(line, "address", pool->listeners.at[i].bound);
		say(c, line);
	}
}

static void
say_mold(
    const struct moldlink *mold, struct control_client *c, struct buf *line)
{
	if (mold == NULL)
		return;
	(void)record_begin(line, "mold");
	(void)record_count(line, "pid", (uint64_t)mold->process.pid);
	(void)record_count(line, "generation", mold->generation);
	(void)record_text(line, "state", mold_state_name(mold->state));
	(void)record_text(line, "by", mold->by_boot ? "boot" : "promotion");
	(void)record_count(line, "age_ms", age_ms(mold->born_ms));
	say(c, line);
}

static void
put_collector(const struct board_view *view, struct buf *line)
{
	(void)record_count(line, "gc_count", view->gc_count);
	(void)record_count(line, "gc_hits", view->gc_hits);
	(void)record_count(line, "gc_misses", view->gc_in_request);
	(void)record_count(line, "gc_majors_inside", view->gc_major_in);
	(void)record_count(line, "gc_waste", view->gc_waste);
	(void)record_count(line, "gc_leash_pulls", view->gc_pulls);
	(void)record_count(line, "gc_nursery", view->gc_nursery);
	(void)record_count(line, "gc_inside_us", view->gc_in_us);
	(void)record_count(line, "gc_outside_us", view->gc_out_us);
	(void)record_count(line, "gc_saved_us", view->gc_saved_us);
}

static void
put_row(const struct board_view *view, struct buf *line)
{
	(void)record_count(line, "requests", view->requests);
	(void)record_count(line, "inherited", view->inherited);
	(void)record_count(line, "errors", view->errors);
	(void)record_count(line, "kept", view->kept);
	(void)record_count(line, "faults",
	    view->faults_now > view->faults_start
		? view->faults_now - view->faults_start
		: 0);
	put_collector(view, line);
	if (view->unit_ms != 0) {
		(void)record_text(line, "method", view->method);
		(void)record_text(line, "path", view->path);
		(void)record_count(line, "unit_ms", age_ms(view->unit_ms));
	}
	(void)record_count(
	    line, "service_p50_us", board_quantile_us(view->service_us, 50));
	(void)record_count(
	    line, "service_p99_us", board_quantile_us(view->service_us, 99));
}

static void
say_child(const struct child *child, struct control_client *c, struct buf *line)
{
	struct board_view view = { 0 };

	child_row(child, &view);
	(void)record_begin(line, "slot");
	(void)record_count(line, "nr", child->slot);
	(void)record_count(line, "row", child->row);
	(void)record_text(line, "state", lifecycle_state_name(child->state));
	(void)record_text(line, "work", work_name(view.work));
	(void)record_count(line, "generation", child->generation);
	if (child->process.pid > 0)
		(void)record_count(line, "pid", (uint64_t)child->process.pid);
	(void)record_count(line, "age_ms", age_ms(child->forked_ms));
	put_row(&view, line);
	say(c, line);
}

/* A wanted slot without a worker is worth a line: somebody waits for it. */
static void
say_slot(struct pool *pool, uint32_t slot, struct control_client *c,
    struct buf *line)
{
	bool any = false;
	int which;

	for (which = 0; which < 2; which++) {
		const struct child *child = pool_child(pool, slot, which);

		if (!child_lives(child))
			continue;
		say_child(child, c, line);
		any = true;
	}
	if (any || slot >= pool->wanted)
		return;
	(void)record_begin(line, "slot");
	(void)record_count(line, "nr", slot);
	(void)record_text(line, "state", lifecycle_state_name(LIFE_VACANT));
	say(c, line);
}

/* What stands behind a pool's record is that pool's. */
static void
say_all(struct pool *pool, struct control_client *c, struct buf *line)
{
	uint32_t i;

	say_pool(pool, c, line);
	say_listeners(pool, c, line);
	say_mold(pool->mold, c, line);
	if (pool->succession.next != pool->mold)
		say_mold(pool->succession.next, c, line);
	for (i = 0; i < POOL_OLD_MOLDS; i++)
		say_mold(pool->old[i], c, line);
	for (i = 0; i < pool->slots; i++)
		say_slot(pool, i, c, line);
}

void
status_say(struct master *m, struct control_client *c)
{
	struct pool *pool = NULL;
	struct buf line = BUF_INIT;

	say_master(m, c, &line);
	while ((pool = pools_next(m, pool)) != NULL)
		say_all(pool, c, &line);
	buf_fini(&line);
}

void
status_deaths(struct master *m, struct control_client *c)
{
	struct buf line = BUF_INIT;
	const struct death *death;
	size_t i;

	for (i = 0; (death = deaths_at(&m->deaths, i)) != NULL; i++) {
		bool is_worker = death->role[0] == 'w';

		(void)record_begin(&line, "death");
		(void)record_count(&line, "at_s", death->at_s);
		(void)record_text(&line, "role", death->role);
		(void)record_text(&line, "pool", death->pool);
		if (is_worker)
			(void)record_count(&line, "slot", death->slot);
		(void)record_count(&line, "generation", death->generation);
		(void)record_count(&line, "pid", (uint64_t)death->pid);
		(void)record_count(&line, "age_ms", death->age_ms);
		(void)record_count(&line, "requests", death->requests);
		(void)record_text(&line, "cause", death->cause);
		(void)record_text(&line, "request", death->request);
		say(c, &line);
	}
	buf_fini(&line);
}
