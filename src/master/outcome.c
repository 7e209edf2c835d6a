/*
 * How a succession ends. What comes next is begun by succession_step and not
 * from here: who fails is often in the middle of beginning.
 */
#include "master/outcome.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "master/master.h"
#include "master/refork.h"
#include "master/refusal.h"
#include "master/rollout.h"

/* An automatic refork that failed is tried again after 1, 2, 4 ... 64 s. */
#define FAILED_SHIFT_MAX 6u

void
outcome_tell(struct pool *p, int rc, const char *text)
{
	struct succession *s = &p->succession;
	struct outcome_waiter waiters[OUTCOME_WAITERS_MAX];
	size_t i;

	memcpy(waiters, s->waiters, sizeof(waiters));
	memset(s->waiters, 0, sizeof(s->waiters));
	for (i = 0; i < OUTCOME_WAITERS_MAX; i++)
		if (waiters[i].call != NULL)
			waiters[i].call(waiters[i].arg, rc, text);
}

int
outcome_wait(struct pool *p, outcome_call *call, void *arg)
{
	struct succession *s = &p->succession;
	size_t i;

	for (i = 0; i < OUTCOME_WAITERS_MAX; i++)
		if (s->waiters[i].call == NULL) {
			s->waiters[i].call = call;
			s->waiters[i].arg = arg;
			return 0;
		}
	return -ENOSPC;
}

void
outcome_forget(struct pool *p, void *arg)
{
	struct succession *s = &p->succession;
	size_t i;

	for (i = 0; i < OUTCOME_WAITERS_MAX; i++)
		if (s->waiters[i].arg == arg)
			memset(&s->waiters[i], 0, sizeof(s->waiters[i]));
}

static void
reset(struct pool *p)
{
	struct succession *s = &p->succession;

	ev_timer_stop(p->master->loop, &s->retry);
	rollout_end(p);
	s->stage = SUCCESSION_NONE;
	s->donor = NULL;
	s->donor_slot = UINT32_MAX;
	s->canary = NULL;
	s->next = NULL;
	s->token = 0;
	s->retries = 0;
}

static void
note(struct succession *s, int rc, const char *text)
{
	s->last_ms = clock_ms();
	s->last_rc = rc;
	snprintf(s->last_text, sizeof(s->last_text), "%s", text);
}

void
outcome_succeed(struct pool *p)
{
	struct succession *s = &p->succession;
	char text[400];

	snprintf(text, sizeof(text), "%s%s to gen=%u done in %llums (%s)",
	    p->label, succession_kind_name(s->kind), p->generation,
	    (unsigned long long)(clock_ms() - s->started_ms), s->why);
	refusal_summary(p);
	log_info("%s", text);
	if (s->kind == SUCCESSION_RELOAD && pool_is_default(p))
		log_info(
		    "done reloading config_file=%s", p->settings.config_file);
	s->failures = 0;
	note(s, 0, text);
	reset(p);
	outcome_tell(p, 0, text);
	pool_touch(p); /* what is queued begins at the next step */
}

/* What nobody asked for by hand comes again by itself, unless something else
 * is next. */
static void
come_back(struct pool *p)
{
	struct succession *s = &p->succession;

	if (s->queued)
		return;
	if (s->kind == SUCCESSION_RECOVER) {
		p->not_before_ms =
		    clock_ms() + refork_backoff_ms(++p->boot_failures + 1);
	} else if (s->kind == SUCCESSION_REFORK && !s->by_hand &&
		   p->master->phase == MASTER_SERVING) {
		if (s->failures < FAILED_SHIFT_MAX)
			s->failures++;
		succession_retry(p, (double)(1u << (s->failures - 1)));
	}
}

void
outcome_fail(struct pool *p, int rc, const char *why)
{
	struct succession *s = &p->succession;
	struct moldlink *next = s->next;
	struct child *canary = s->canary;
	char text[480];

	snprintf(text, sizeof(text),
	    "%s%s to gen=%u failed: %s; gen=%u goes on", p->label,
	    succession_kind_name(s->kind), s->generation, why, p->generation);
	refusal_summary(p);
	log_error("%s", text);
	note(s, rc, text);
	listeners_undo(&p->next_listeners);
	p->bind_tries = 0;
	reset(p);
	if (canary != NULL && child_lives(canary)) {
		canary->is_canary = false;
		child_event(canary, LIFE_QUIT);
	}
	if (next != NULL && !next->process.dead)
		pool_discard(p, next);
	outcome_tell(p, rc, text);
	come_back(p);
	pool_touch(p);
}

void
outcome_cancel(struct pool *p, const char *why)
{
	struct succession *s = &p->succession;

	s->queued = false;
	if (s->stage != SUCCESSION_NONE)
		outcome_fail(p, -ECANCELED, why);
	else
		outcome_tell(p, -ECANCELED, why);
	ev_timer_stop(p->master->loop, &s->retry);
}
