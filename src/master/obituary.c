/*
 * What the log and the ring of deaths say of one that has ended. Whether it is
 * a mishap depends on what was asked of it, and on what it said itself.
 */
#include "master/obituary.h"

#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "ipc/board.h"
#include "master/master.h"

/* "SIGKILL (signal 9) while idle: why": the stage is half of the cause. */
static const char *
child_stage(const struct child *c, const struct board_view *v)
{
	static const char *const stages[LIFE_STATES] = {
		[LIFE_BOOTING] = " while booting",
		[LIFE_SERVING] = " while serving",
		[LIFE_MOLDING] = " while it was promoted",
		[LIFE_DRAINING] = " while draining",
	};

	if (c->was == LIFE_SERVING && v->pid == c->process.pid &&
	    v->work == RFK_WORK_IDLE)
		return " while idle";
	return stages[c->was] != NULL ? stages[c->was] : "";
}

static const char *
mold_stage(const struct moldlink *l)
{
	switch (l->state) {
	case MOLD_READY:
		return l->forking != NULL ? " while forking" : " while idle";
	case MOLD_EVALUATING:
	case MOLD_BINDING:
	case MOLD_LOADING:
		return l->by_boot ? " while booting" : " while preparing";
	default:
		return "";
	}
}

/* The entry of the ring that both kinds fill alike. */
static struct death *
enter(const struct process *p, const char *role, const char *stage,
    const char *why, char *cause, size_t cap)
{
	struct death *d = deaths_next(&p->master->deaths);
	char how[96];

	pidfd_exit_text(&p->exit, how, sizeof(how));
	snprintf(cause, cap, "%s%s%s%s", how, stage, why[0] ? ": " : "", why);
	d->at_s = (uint64_t)time(NULL);
	d->pid = p->pid;
	snprintf(d->role, sizeof(d->role), "%s", role);
	snprintf(d->cause, sizeof(d->cause), "%.*s", (int)sizeof(d->cause) - 1,
	    cause);
	return d;
}

void
obituary_child(struct child *c, char *cause, size_t cap)
{
	const struct process *p = &c->process;
	struct death *d;
	/* How a session ends is its client's affair, while it ends by itself.
	 */
	bool fine =
	    c->at_once || (c->expected && pidfd_ok(&p->exit)) ||
	    (c->lease != NULL && (c->expected || p->exit.code == CLD_EXITED));
	uint64_t now = clock_ms();
	double quiet_s = 0.;
	struct board_view v;
	char name[96];

	child_row(c, &v);
	d = enter(p, "worker", child_stage(c, &v), c->killed_for, cause, cap);
	d->slot = c->slot;
	snprintf(d->pool, sizeof(d->pool), "%s", c->pool->name);
	d->generation = c->generation;
	d->age_ms = now - c->forked_ms;
	if (v.pid == p->pid) {
		quiet_s = (double)(now - v.beat_ms) / 1e3;
		d->requests = v.requests;
		if (v.unit_ms != 0 && v.work == RFK_WORK_BUSY)
			snprintf(d->request, sizeof(d->request), "%s %s %.3fs",
			    v.method, v.path, (double)(now - v.unit_ms) / 1e3);
	}
	(fine ? log_info : log_error)(
	    "%s ended (%s), age %.1fs, %llu requests, last beat %.1fs ago%s%s",
	    child_name(c, name, sizeof(name)), cause, (double)d->age_ms / 1e3,
	    (unsigned long long)d->requests, quiet_s,
	    d->request[0] ? ", during " : "", d->request);
}

/* What its end is called: FAILED's text, or how it died. */
void
obituary_mold(struct moldlink *l, char *cause, size_t cap)
{
	const struct process *p = &l->process;
	struct death *d =
	    enter(p, "mold", mold_stage(l), l->why.text, cause, cap);
	enum master_phase phase = p->master->phase;
	bool fine = phase == MASTER_KILLING ||
		    ((l->state == MOLD_STOPPING || phase == MASTER_STOPPING) &&
			pidfd_ok(&p->exit));
	char how[96];

	snprintf(d->pool, sizeof(d->pool), "%s", l->pool->name);
	d->generation = l->generation;
	d->age_ms = clock_ms() - l->born_ms;
	if (l->is_config_error || l->check_only || phase == MASTER_BOOTING)
		return; /* the one line was or will be said by whoever asked */
	pidfd_exit_text(&p->exit, how, sizeof(how));
	(fine ? log_info : log_error)("%smold gen=%u pid=%d ended (%s)",
	    l->pool->label, l->generation, (int)p->pid,
	    l->has_said ? how : cause);
}
