/*
 * From one generation to the next: who asks for it, who is asked, what the
 * others tell. Each function is an event or a step; the stage says what may
 * come.
 */
#include "master/succession.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "master/choice.h"
#include "master/master.h"
#include "master/refusal.h"
#include "master/rollout.h"

/* Every donor refused: asked again so often, so many times by hand. */
#define RETRY_S 1.0
#define RETRIES_BY_HAND 30u
/* So many donors that end when they are asked: the next one will, too. */
#define DONORS_GONE_MAX 5u

bool
succession_idle(struct pool *p)
{
	return p->succession.stage == SUCCESSION_NONE &&
	       !p->succession.queued && !ev_is_active(&p->succession.retry);
}

const char *
succession_kind_name(enum succession_kind kind)
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

void
succession_retry(struct pool *p, double seconds)
{
	struct succession *s = &p->succession;

	ev_timer_stop(p->master->loop, &s->retry);
	ev_timer_set(&s->retry, seconds, 0.);
	ev_now_update(p->master->loop);
	ev_timer_start(p->master->loop, &s->retry);
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
	if (s->donors_gone >= DONORS_GONE_MAX) {
		snprintf(why, sizeof(why),
		    "%u donors have ended before they were forked from, at "
		    "last %s",
		    s->donors_gone, s->last_refusal);
		outcome_fail(p, -ECHILD, why);
		return;
	}
	if (s->refusals == 0) {
		outcome_fail(
		    p, -ESRCH, "no worker serves that could be promoted");
		return;
	}
	snprintf(
	    why, sizeof(why), "no worker is fork-safe: %s", s->last_refusal);
	if (++s->retries > RETRIES_BY_HAND && s->by_hand) {
		outcome_fail(p, -EAGAIN, why);
		return;
	}
	if (s->retries == 1)
		log_warn("%s; trying again every %.0fs", why, RETRY_S);
	succession_retry(p, RETRY_S);
}

static void
ask(struct pool *p)
{
	struct succession *s = &p->succession;
	struct child *donor =
	    s->donors_gone < DONORS_GONE_MAX ? choice_donor(p) : NULL;
	char name[96];

	s->stage = SUCCESSION_ASKED;
	s->donor = donor;
	if (p->settings.worker_exec != 0) {
		s->donor = NULL;
		outcome_fail(p, -EOPNOTSUPP,
		    "worker_exec: the workers share no memory that a refork "
		    "could bring together");
		return;
	}
	if (donor == NULL) {
		nobody(p);
		return;
	}
	s->donor_slot = donor->slot;
	s->token = master_token(p->master);
	(refusal_known(donor) ? log_debug : log_info)(
	    "%s%s to gen=%u: promoting %s (%s)", p->label,
	    succession_kind_name(s->kind), s->generation,
	    child_name(donor, name, sizeof(name)), s->why);
	if (child_event(donor, LIFE_PROMOTE) < 0)
		outcome_fail(p, -EPROTO, "the donor cannot be asked");
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
		log_warn(
		    "%sbooting a new mold: it may load newer code than the "
		    "running workers have",
		    p->label);
	s->next = moldlink_boot(p, s->generation, &why);
	if (s->next == NULL)
		outcome_fail(p, -ECHILD, why.text);
}

static void
on_retry(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct pool *p = w->data;
	struct succession *s = &p->succession;
	char why[192];

	(void)loop;
	(void)revents;
	if (p->master->phase != MASTER_SERVING || p->is_leaving)
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

	log_info("%s%s is queued behind the %s under way (%s)", p->label,
	    succession_kind_name(kind), succession_kind_name(s->kind), why);
	if (s->queued && s->queued_kind == SUCCESSION_RELOAD)
		return; /* newer code wins over a newer heap */
	s->queued = true;
	s->queued_kind = kind;
	snprintf(s->queued_why, sizeof(s->queued_why), "%s", why);
}

/* After a restart whose new program's first mold has not come yet: a reload
 * only ends the wait before the next try. */
static int
none_yet(struct pool *p, enum succession_kind kind, const char *why)
{
	if (kind == SUCCESSION_RELOAD && p->mold == NULL) {
		pools_renew(p);
		return 0;
	}
	log_warn("%s not begun: the first mold of this program boots (%s)",
	    succession_kind_name(kind), why);
	return -EBUSY;
}

int
succession_start(struct pool *p, enum succession_kind kind, bool by_hand,
    uint32_t preferred, const char *why)
{
	struct succession *s = &p->succession;

	if (p->master->phase != MASTER_SERVING || p->is_leaving) {
		log_warn("%s%s not begun: reforkd is %s (%s)", p->label,
		    succession_kind_name(kind),
		    p->master->phase == MASTER_BOOTING ? "booting" : "stopping",
		    why);
		return -ESHUTDOWN;
	}
	if (pool_is_default(p) && !p->is_settled)
		return none_yet(p, kind, why);
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
	s->donors_gone = 0;
	if (why != s->why)
		snprintf(s->why, sizeof(s->why), "%s", why);
	refusal_reset(p);
	choice_forget_refusals(p);
	if (kind == SUCCESSION_REFORK ||
	    (kind == SUCCESSION_RECOVER && (p->settings.refork_afters > 0 ||
					       p->settings.refork_auto != 0)))
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

	if (s->stage != SUCCESSION_ASKED || s->donor != donor)
		return;
	refusal_note(p, donor, why);
	if (donor->lease != NULL) /* it was about this session's state */
		outcome_fail(p, -EAGAIN, why);
	else
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
	rollout_begin(p);
	if (l->by_boot) /* the workers go on with the code they have */
		outcome_succeed(p);
}

void
succession_mold_gone(struct pool *p, struct moldlink *l, const char *why)
{
	struct succession *s = &p->succession;
	/* In its own words, where it had any: how it ended says less. */
	const char *said =
	    l->is_config_error || l->has_said ? l->why.text : why;

	s->next = NULL;
	if (s->kind == SUCCESSION_RELOAD)
		log_error("error reloading config_file=%s: %s",
		    p->settings.config_file, said);
	if (s->stage == SUCCESSION_CANARY && s->canary != NULL &&
	    s->canary->state == LIFE_FORKING)
		s->canary = NULL;
	outcome_fail(p, -ECHILD, said);
}

void
succession_child_gone(struct pool *p, struct child *c, const char *why)
{
	struct succession *s = &p->succession;
	char name[96], text[400];

	if (s->stage == SUCCESSION_ASKED && s->donor == c && c->lease != NULL) {
		outcome_fail(p, -ESRCH, "the session has ended meanwhile");
	} else if (s->stage == SUCCESSION_ASKED && s->donor == c) {
		log_warn("the donor worker=%u has gone: %s", c->slot, why);
		snprintf(s->last_refusal, sizeof(s->last_refusal),
		    "worker=%u has gone: %s", c->slot, why);
		s->refusals++;
		s->refusals_said++;
		s->donors_gone++;
		/* Not while its burial is under way. */
		succession_retry(p, 0.05);
	}
	if (c->was == LIFE_UNWANTED)
		rollout_child_quits(c);
	if (s->stage == SUCCESSION_CANARY && s->canary == c) {
		snprintf(text, sizeof(text), "the canary %s: %s",
		    child_name(c, name, sizeof(name)), why);
		s->canary = NULL;
		if (s->kind == SUCCESSION_RELOAD)
			log_error("error reloading config_file=%s: %s",
			    p->settings.config_file, text);
		outcome_fail(p, -ECHILD, text);
	}
}

/* --- steps ------------------------------------------------------------- */

static void
start_queued(struct pool *p)
{
	struct succession *s = &p->succession;

	if (!s->queued || pool_is_stopping(p))
		return;
	s->queued = false;
	succession_start(p, s->queued_kind, true, UINT32_MAX, s->queued_why);
}

void
succession_step(struct pool *p)
{
	switch (p->succession.stage) {
	case SUCCESSION_NONE:
		start_queued(p);
		break;
	case SUCCESSION_CANARY:
	case SUCCESSION_ROLLING:
		rollout_step(p);
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
	s->retry.data = p;
	rollout_init(p);
	s->donor_slot = UINT32_MAX;
}

void
succession_fini(struct pool *p)
{
	ev_timer_stop(p->master->loop, &p->succession.retry);
	rollout_end(p);
}
