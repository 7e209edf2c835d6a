/*
 * From one generation to the next. Each function is an event or a step; the
 * stage says what may come. Until the canary serves nothing of the old
 * generation has been given up but the canary's own slot.
 */
#include "master/succession.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "ipc/board.h"
#include "master/choice.h"
#include "master/master.h"
#include "master/refork.h"

/* Every donor refused: asked again so often, so many times by hand. */
#define RETRY_S 1.0
#define RETRIES_BY_HAND 30u
#define CANARY_LOOK_S 0.02
/* An automatic refork that failed is tried again after 1, 2, 4 ... 64 s. */
#define FAILED_SHIFT_MAX 6u

static const char *
kind_name(enum succession_kind kind)
{
	switch (kind) {
	case SUCCESSION_RELOAD:
		return "reload";
	case SUCCESSION_RECOVER:
		return "recovery";
	default:
		return "refork";
	}
}

bool
succession_idle(struct pool *p)
{
	return p->succession.stage == SUCCESSION_NONE &&
	       !ev_is_active(&p->succession.retry);
}

/* --- the outcome ------------------------------------------------------- */

static void
tell_waiters(struct succession *s, int rc, const char *text)
{
	struct succession_waiter waiters[SUCCESSION_WAITERS_MAX];
	size_t i;

	memcpy(waiters, s->waiters, sizeof(waiters));
	memset(s->waiters, 0, sizeof(s->waiters));
	for (i = 0; i < SUCCESSION_WAITERS_MAX; i++)
		if (waiters[i].call != NULL)
			waiters[i].call(waiters[i].arg, rc, text);
}

int
succession_wait(struct pool *p, succession_outcome *call, void *arg)
{
	struct succession *s = &p->succession;
	size_t i;

	for (i = 0; i < SUCCESSION_WAITERS_MAX; i++)
		if (s->waiters[i].call == NULL) {
			s->waiters[i].call = call;
			s->waiters[i].arg = arg;
			return 0;
		}
	return -ENOSPC;
}

void
succession_forget(struct pool *p, void *arg)
{
	struct succession *s = &p->succession;
	size_t i;

	for (i = 0; i < SUCCESSION_WAITERS_MAX; i++)
		if (s->waiters[i].arg == arg)
			memset(&s->waiters[i], 0, sizeof(s->waiters[i]));
}

static void
reset(struct pool *p)
{
	struct succession *s = &p->succession;

	ev_timer_stop(p->master->loop, &s->retry);
	ev_timer_stop(p->master->loop, &s->canary_time);
	s->stage = SUCCESSION_NONE;
	s->donor = NULL;
	s->donor_slot = UINT32_MAX;
	s->canary = NULL;
	s->next = NULL;
	s->token = 0;
	s->refusals = 0;
	s->retries = 0;
}

static void
start_queued(struct pool *p)
{
	struct succession *s = &p->succession;

	if (!s->queued || p->master->phase >= MASTER_STOPPING)
		return;
	s->queued = false;
	succession_start(p, s->queued_kind, true, UINT32_MAX, s->queued_why);
}

static void
note(struct succession *s, int rc, const char *text)
{
	s->last_ms = clock_ms();
	s->last_rc = rc;
	snprintf(s->last_text, sizeof(s->last_text), "%s", text);
}

static void
succeed(struct pool *p)
{
	struct succession *s = &p->succession;
	char text[400];

	snprintf(text, sizeof(text), "%s to gen=%u done in %llums (%s)",
	    kind_name(s->kind), p->generation,
	    (unsigned long long)(clock_ms() - s->started_ms), s->why);
	log_info("%s", text);
	s->failures = 0;
	note(s, 0, text);
	reset(p);
	tell_waiters(s, 0, text);
	start_queued(p);
	pool_touch(p);
}

static void
retry_later(struct pool *p, double seconds)
{
	struct succession *s = &p->succession;

	ev_timer_stop(p->master->loop, &s->retry);
	ev_timer_set(&s->retry, seconds, 0.);
	ev_now_update(p->master->loop);
	ev_timer_start(p->master->loop, &s->retry);
}

/* The next mold and the canary go; the old mold and generation stay. */
static void
fail(struct pool *p, int rc, const char *why)
{
	struct succession *s = &p->succession;
	struct moldlink *next = s->next;
	struct child *canary = s->canary;
	bool again = s->kind == SUCCESSION_REFORK && !s->by_hand;
	char text[480];

	snprintf(text, sizeof(text), "%s to gen=%u failed: %s; gen=%u goes on",
	    kind_name(s->kind), s->generation, why, p->generation);
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
	tell_waiters(s, rc, text);
	if (s->queued)
		start_queued(p);
	else if (again && p->master->phase == MASTER_SERVING) {
		if (s->failures < FAILED_SHIFT_MAX)
			s->failures++;
		retry_later(p, (double)(1u << (s->failures - 1)));
	} else if (s->kind == SUCCESSION_RECOVER)
		p->not_before_ms =
		    clock_ms() + refork_backoff_ms(++p->boot_failures + 1);
	pool_touch(p);
}

/* --- asking ------------------------------------------------------------ */

static void boot(struct pool *);

static void
nobody(struct pool *p)
{
	struct succession *s = &p->succession;
	char why[600];

	if (s->kind == SUCCESSION_RECOVER) {
		boot(p);
		return;
	}
	if (s->refusals == 0) {
		fail(p, -ESRCH, "no worker serves that could be promoted");
		return;
	}
	snprintf(
	    why, sizeof(why), "no worker is fork-safe: %s", s->last_refusal);
	if (s->by_hand && ++s->retries > RETRIES_BY_HAND) {
		fail(p, -EAGAIN, why);
		return;
	}
	if (s->retries <= 1)
		log_warn("%s; trying again every %.0fs", why, RETRY_S);
	s->retries += !s->by_hand;
	retry_later(p, RETRY_S);
}

static void
ask(struct pool *p)
{
	struct succession *s = &p->succession;
	struct child *donor = choice_donor(p);
	char name[96];

	s->stage = SUCCESSION_ASKED;
	s->donor = donor;
	if (donor == NULL) {
		nobody(p);
		return;
	}
	s->donor_slot = donor->slot;
	s->token = master_token(p->master);
	log_info("%s to gen=%u: promoting %s (%s)", kind_name(s->kind),
	    s->generation, child_name(donor, name, sizeof(name)), s->why);
	if (child_event(donor, LIFE_PROMOTE) < 0)
		fail(p, -EPROTO, "the donor cannot be asked");
}

static void
boot(struct pool *p)
{
	struct succession *s = &p->succession;
	struct fail why = FAIL_INIT;

	s->stage = SUCCESSION_PREPARING;
	s->donor = NULL;
	s->donor_slot = UINT32_MAX;
	if (s->kind == SUCCESSION_RECOVER)
		log_warn("booting a new mold: it may load newer code than the "
			 "running workers have");
	s->next = moldlink_boot(p, s->generation, &why);
	if (s->next == NULL)
		fail(p, -ECHILD, why.text);
}

static void
on_retry(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct pool *p = w->data;
	struct succession *s = &p->succession;
	char why[192];

	(void)loop;
	(void)revents;
	if (p->master->phase != MASTER_SERVING)
		return;
	choice_forget_refusals(p);
	if (s->stage == SUCCESSION_ASKED) {
		ask(p);
		return;
	}
	snprintf(why, sizeof(why), "%s", s->why);
	succession_start(p, SUCCESSION_REFORK, false, UINT32_MAX, why);
}

static void
queue(struct pool *p, enum succession_kind kind, const char *why)
{
	struct succession *s = &p->succession;

	log_info("%s is queued behind the %s under way (%s)", kind_name(kind),
	    kind_name(s->kind), why);
	if (s->queued && s->queued_kind == SUCCESSION_RELOAD)
		return; /* newer code wins over a newer heap */
	s->queued = true;
	s->queued_kind = kind;
	snprintf(s->queued_why, sizeof(s->queued_why), "%s", why);
}

int
succession_start(struct pool *p, enum succession_kind kind, bool by_hand,
    uint32_t preferred, const char *why)
{
	struct succession *s = &p->succession;

	if (p->master->phase != MASTER_SERVING) {
		log_warn("%s not begun: reforkd is %s (%s)", kind_name(kind),
		    p->master->phase == MASTER_BOOTING ? "booting" : "stopping",
		    why);
		return -ESHUTDOWN;
	}
	if (s->stage != SUCCESSION_NONE) {
		queue(p, kind, why);
		return 1;
	}
	ev_timer_stop(p->master->loop, &s->retry);
	s->kind = kind;
	s->by_hand = by_hand;
	s->preferred = preferred;
	s->generation = p->last_generation + 1;
	s->started_ms = clock_ms();
	s->donor_slot = UINT32_MAX;
	s->last_refusal[0] = '\0';
	if (why != s->why)
		snprintf(s->why, sizeof(s->why), "%s", why);
	choice_forget_refusals(p);
	if (kind == SUCCESSION_REFORK ||
	    (kind == SUCCESSION_RECOVER && p->settings.refork_afters > 0))
		ask(p);
	else
		boot(p);
	pool_touch(p);
	return 0;
}

/* --- what the others tell ---------------------------------------------- */

void
succession_refused(struct pool *p, struct child *donor, const char *why)
{
	struct succession *s = &p->succession;
	char name[96];

	if (s->stage != SUCCESSION_ASKED || s->donor != donor)
		return;
	log_warn("%s refuses to be promoted: %s",
	    child_name(donor, name, sizeof(name)), why);
	snprintf(s->last_refusal, sizeof(s->last_refusal), "%s", why);
	donor->unsafe = true;
	s->refusals++;
	ask(p);
}

void
succession_candidate(struct pool *p, struct child *donor, struct moldlink *mold)
{
	struct succession *s = &p->succession;

	log_info("worker=%u has forked the candidate of gen=%u pid=%d",
	    donor->slot, mold->generation, (int)mold->process.pid);
	s->stage = SUCCESSION_PREPARING;
	s->donor = NULL;
	s->next = mold;
}

static void
roll(struct pool *p)
{
	struct succession *s = &p->succession;
	struct moldlink *next = s->next;

	ev_timer_stop(p->master->loop, &s->canary_time);
	s->next = NULL;
	s->canary = NULL;
	s->stage = SUCCESSION_ROLLING;
	pool_install(p, next);
}

void
succession_mold_ready(struct pool *p, struct moldlink *l)
{
	struct succession *s = &p->succession;

	s->prepare_ms = clock_ms() - l->born_ms;
	if (s->kind != SUCCESSION_RECOVER) {
		s->stage = SUCCESSION_CANARY;
		return;
	}
	/* There is no old mold to keep: slots must be filled from this one. */
	roll(p);
	if (l->by_boot)
		succeed(p); /* the workers go on with the code they have */
}

void
succession_mold_gone(struct pool *p, struct moldlink *l, const char *why)
{
	struct succession *s = &p->succession;

	s->next = NULL;
	if (s->kind == SUCCESSION_RELOAD)
		log_error("error reloading config_file=%s: %s",
		    p->settings.config_file,
		    l->is_config_error ? l->why.text : why);
	if (s->stage == SUCCESSION_CANARY && s->canary != NULL &&
	    s->canary->state == LIFE_FORKING)
		s->canary = NULL;
	fail(p, -ECHILD, why);
}

void
succession_child_gone(struct pool *p, struct child *c, const char *why)
{
	struct succession *s = &p->succession;
	char text[400];

	if (s->stage == SUCCESSION_ASKED && s->donor == c) {
		log_warn("the donor worker=%u has gone: %s", c->slot, why);
		snprintf(s->last_refusal, sizeof(s->last_refusal),
		    "worker=%u has gone: %s", c->slot, why);
		s->refusals++;
		retry_later(p, 0.05); /* not while its burial is under way */
	}
	if (s->stage == SUCCESSION_CANARY && s->canary == c) {
		snprintf(text, sizeof(text), "the canary worker=%u %s", c->slot,
		    why);
		s->canary = NULL;
		fail(p, -ECHILD, text);
	}
}

static void
on_canary(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct pool *p = w->data;
	struct succession *s = &p->succession;
	struct board_view row;

	(void)loop;
	(void)revents;
	if (s->stage != SUCCESSION_CANARY || s->canary == NULL)
		return;
	child_row(s->canary, &row);
	if (row.requests == 0 &&
	    clock_ms() <
		s->canary->ready_ms + (uint64_t)p->settings.canary_time)
		return;
	log_info("the canary worker=%u gen=%u serves (%llu requests)",
	    s->canary->slot, s->generation, (unsigned long long)row.requests);
	s->canary->is_canary = false;
	roll(p);
}

void
succession_child_ready(struct pool *p, struct child *c)
{
	struct succession *s = &p->succession;

	if (s->stage != SUCCESSION_CANARY || s->canary != c)
		return;
	ev_timer_set(&s->canary_time, 0., CANARY_LOOK_S);
	ev_timer_start(p->master->loop, &s->canary_time);
}

void
succession_cancel(struct pool *p, const char *why)
{
	struct succession *s = &p->succession;

	s->queued = false;
	if (s->stage != SUCCESSION_NONE)
		fail(p, -ECANCELED, why);
	ev_timer_stop(p->master->loop, &s->retry);
}

/* --- steps ------------------------------------------------------------- */

static void
make_canary(struct pool *p)
{
	struct succession *s = &p->succession;
	struct child *old, *c;

	if (s->canary != NULL)
		return;
	old = choice_replaced(p, true);
	if (old == NULL && pool_alive(p) == 0) {
		roll(p); /* scaled to nothing: nobody to try it on */
		return;
	}
	if (old == NULL || !moldlink_usable(s->next))
		return;
	c = pool_vacant(p, old->slot);
	if (moldlink_fork(s->next, c) < 0)
		return;
	c->is_canary = true;
	s->canary = c;
}

/* Successors under way; true in *left while an outdated worker serves. */
static uint32_t
under_way(struct pool *p, bool *left)
{
	struct child *c, *other;
	uint32_t slot, n = 0;

	*left = false;
	for (slot = 0; slot < p->slots && slot < p->wanted; slot++) {
		c = pool_serving(p, slot);
		if (c == NULL || c->generation == p->generation)
			continue;
		*left = true;
		other = pool_child(p, slot, (int)(1 - (c->row & 1)));
		if (other->state == LIFE_FORKING ||
		    other->state == LIFE_BOOTING)
			n++;
	}
	return n;
}

static void
roll_on(struct pool *p)
{
	uint32_t limit =
	    (uint32_t)settings_unavailable(&p->settings, p->wanted);
	struct child *old;
	bool left;
	uint32_t n = under_way(p, &left);

	if (!left) {
		succeed(p);
		return;
	}
	if (n >= limit || !moldlink_usable(p->mold) ||
	    p->mold->forking != NULL || pool_backs_off(p))
		return;
	old = choice_replaced(p, false);
	if (old != NULL)
		moldlink_fork(p->mold, pool_vacant(p, old->slot));
}

void
succession_step(struct pool *p)
{
	switch (p->succession.stage) {
	case SUCCESSION_CANARY:
		make_canary(p);
		break;
	case SUCCESSION_ROLLING:
		if (p->mold == NULL) /* it died meanwhile: recover first */
			fail(
			    p, -ECHILD, "the new mold died during the rollout");
		else
			roll_on(p);
		break;
	default:
		break;
	}
}

void
succession_init(struct pool *p)
{
	struct succession *s = &p->succession;

	ev_timer_init(&s->retry, on_retry, RETRY_S, 0.);
	ev_timer_init(&s->canary_time, on_canary, 0., CANARY_LOOK_S);
	s->retry.data = p;
	s->canary_time.data = p;
	s->donor_slot = UINT32_MAX;
}

void
succession_fini(struct pool *p)
{
	ev_timer_stop(p->master->loop, &p->succession.retry);
	ev_timer_stop(p->master->loop, &p->succession.canary_time);
}
