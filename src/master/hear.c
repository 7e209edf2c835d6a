/*
 * From messages to events: first what workers say, then the molds.
 */
#include "master/hear.h"

#include <stdio.h>

#include <reforkd/version.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "master/hooks.h"
#include "master/inquiry.h"
#include "master/master.h"
#include "master/recycle.h"
#include "master/service.h"
#include "master/words.h"

static void
copy_tail(char *out, size_t cap, const struct rfk_msg *msg)
{
	snprintf(out, cap, "%.*s", (int)msg->tail_len,
	    msg->tail != NULL ? msg->tail : "");
}

/* Workers */

/* A candidate has come: the succession takes it, or it is sent away. */
static void
promoted(struct child *c, const struct rfk_promoted *p, int *fds)
{
	struct succession *s = &c->pool->succession;
	struct moldlink *mold;

	if (s->stage != SUCCESSION_ASKED || p->token != s->token ||
	    child_event(c, LIFE_PROMOTED) < 0) {
		log_warn("pid=%d offers itself as a mold that nobody waits for",
		    (int)p->pid);
		process_reject(fds[0], fds[1]);
		return;
	}
	mold = moldlink_adopt(c->pool, p->generation, p->pid, fds[0], fds[1]);
	if (mold == NULL)
		return;
	mold->reopens = c->reopens;
	words_mold_spawned(mold);
	succession_candidate(c->pool, c, mold);
}

static void
refused(struct child *c, const struct rfk_msg *msg)
{
	char text[512];

	copy_tail(text, sizeof(text), msg);
	if (msg->u.promote.token != c->pool->succession.token)
		return;
	if (child_event(c, LIFE_REFUSED) == 0)
		succession_refused(c->pool, c, text);
}

static void
worker_failed(struct child *c, const struct rfk_msg *msg)
{
	char name[96];

	copy_tail(c->killed_for, sizeof(c->killed_for), msg);
	log_error(
	    "%s failed: %s", child_name(c, name, sizeof(name)), c->killed_for);
}

/*
 * A session offers a copy of itself, and waits for the answer: it is asked now,
 * or told by a PROMOTE without a token that it will not be.
 */
static void
offered(struct child *c)
{
	char why[160];

	snprintf(why, sizeof(why), "Reforkd.promote in worker=%u", c->slot);
	c->offers = succession_idle(c->pool);
	if (!c->offers)
		log_info("%s: not now, another refork is under way", why);
	else
		(void)succession_start(
		    c->pool, SUCCESSION_REFORK, true, c->slot, why);
	c->offers = false;
	if (c->state != LIFE_MOLDING)
		child_send(c, RFK_MSG_PROMOTE);
}

static void
volunteered(struct child *c, const struct rfk_volunteer *v)
{
	char why[160];

	if (!child_serves(c))
		return;
	if (c->lease != NULL) {
		offered(c);
		return;
	}
	if (v->by_hand) {
		snprintf(why, sizeof(why), "SIGUSR2 to worker=%u", c->slot);
		succession_start(
		    c->pool, SUCCESSION_REFORK, true, c->slot, why);
		return;
	}
	/* Others reach the limit while one is under way: not a new wish. */
	if (!succession_idle(c->pool) || c->generation != c->pool->generation)
		return;
	words_volunteered(c, v->requests);
	snprintf(why, sizeof(why),
	    "worker=%u has served %llu requests (refork_after)", c->slot,
	    (unsigned long long)v->requests);
	succession_start(c->pool, SUCCESSION_REFORK, false, UINT32_MAX, why);
}

void
hear_worker(struct child *c, const struct rfk_msg *msg, int *fds)
{
	switch (msg->type) {
	case RFK_MSG_READY:
		child_event(c, LIFE_READY);
		inquiry_child_ready(c);
		break;
	case RFK_MSG_ANSWER:
		inquiry_child_answers(c, msg);
		break;
	case RFK_MSG_PROMOTED:
		promoted(c, &msg->u.promoted, fds);
		break;
	case RFK_MSG_REFUSED:
		refused(c, msg);
		break;
	case RFK_MSG_VOLUNTEER:
		volunteered(c, &msg->u.volunteer);
		break;
	case RFK_MSG_SPENT:
		recycle_want(c->pool, c,
		    "has served %llu requests (worker_max_requests %lld)",
		    (unsigned long long)msg->u.volunteer.requests,
		    (long long)c->pool->settings.worker_max_requests);
		break;
	case RFK_MSG_EXITING:
		c->expected = true;
		words_exiting(c);
		break;
	case RFK_MSG_FAILED:
		worker_failed(c, msg);
		break;
	default:
		break; /* the wire lets nothing else through */
	}
}

/* Molds */

static void
settings_came(struct moldlink *l, const struct rfk_msg *msg)
{
	char why[160] = "";

	if (!l->by_boot || l->has_settings || settings_init(&l->settings) < 0) {
		moldlink_kill(l, "sent settings that nobody asked for");
		return;
	}
	l->has_settings = true;
	if (msg->u.settings.protocol != RFK_PROTOCOL) {
		moldlink_kill(l,
		    "speaks protocol %u, this reforkd speaks %u: "
		    "install both programs from one build",
		    msg->u.settings.protocol, RFK_PROTOCOL);
		return;
	}
	if (settings_decode(
		&l->settings, msg->tail, msg->tail_len, why, sizeof(why)) < 0) {
		moldlink_kill(l, "sent a setting that cannot be: %s", why);
		return;
	}
	if (buf_put(&l->block, msg->tail, msg->tail_len) < 0) {
		moldlink_kill(l, "its settings: no memory");
		return;
	}
	l->settings.personality =
	    (enum rfk_personality)msg->u.settings.personality;
	l->state = MOLD_BINDING;
	/* Its own file says how long it may take, not the one in force. */
	process_arm(&l->process, l->settings.boot_timeout);
	pool_mold_settings(l->pool, l);
}

static void
spawned(struct moldlink *l, const struct rfk_spawned *s, int *fds)
{
	struct child *c = l->forking;

	if (c == NULL || c->token != s->token) {
		log_error("mold gen=%u spawned pid=%d that nobody asked for",
		    l->generation, (int)s->pid);
		process_reject(fds[0], fds[1]);
		return;
	}
	l->forking = NULL;
	c->mold = NULL;
	if (s->traps_term && !l->pool->term_is_trapped) {
		log_info("before_fork traps TERM: it is a graceful stop");
		l->pool->term_is_trapped = true;
	}
	child_spawned(c, s->pid, fds[0], fds[1]);
}

static void
not_spawned(struct moldlink *l, const struct rfk_msg *msg)
{
	struct child *c = l->forking;
	char text[512];

	copy_tail(text, sizeof(text), msg);
	if (c == NULL || c->token != msg->u.fork.token)
		return;
	log_error(
	    "worker=%u gen=%u not spawned: %s", c->slot, l->generation, text);
	l->forking = NULL;
	c->mold = NULL;
	child_event(c, LIFE_NOT_SPAWNED);
}

static void
died(struct moldlink *l, const struct rfk_died *d)
{
	struct pool *service = service_of(l);
	struct child *c = pool_by_token(l->pool, d->token);
	struct pidfd_exit e = { .code = d->code, .status = d->status };

	if (c == NULL && service != NULL)
		c = pool_by_token(service, d->token);
	if (c != NULL && c->process.pid == d->pid)
		process_report(&c->process, &e);
}

static void
mold_failed(struct moldlink *l, const struct rfk_msg *msg)
{
	char text[1000];

	copy_tail(text, sizeof(text), msg);
	fail_set(&l->why, 0, "%s", text);
	l->is_config_error = msg->u.failed.is_config != 0;
	l->has_said = !l->is_config_error;
}

/* Opaque here; a boot that follows gets it with its START. */
static void
state_came(struct moldlink *l, const struct rfk_state *state, int *fds)
{
	fd_close(&l->state_fd);
	if (state->bytes > RFK_STATE_MAX) {
		fd_close(&fds[0]);
		moldlink_kill(l, "sent a state of %llu bytes",
		    (unsigned long long)state->bytes);
		return;
	}
	l->state_fd = fds[0];
	l->state_bytes = state->bytes;
	if (l == l->pool->mold)
		pool_take_state(l->pool, l);
}

static void
ready(struct moldlink *l)
{
	if (l->state != MOLD_LOADING)
		return;
	l->state = MOLD_READY;
	l->ready_ms = clock_ms();
	process_disarm(&l->process);
	words_mold_ready(l);
	moldlink_state(l);
	if (l->reopens != l->pool->reopens)
		moldlink_reopen(l); /* before the first FORK */
	pool_mold_ready(l->pool, l);
}

void
hear_mold(struct moldlink *l, const struct rfk_msg *msg, int *fds)
{
	char text[512];

	switch (msg->type) {
	case RFK_MSG_SETTINGS:
		settings_came(l, msg);
		break;
	case RFK_MSG_READY:
		ready(l);
		break;
	case RFK_MSG_SPAWNED:
		spawned(l, &msg->u.spawned, fds);
		break;
	case RFK_MSG_NOT_SPAWNED:
		not_spawned(l, msg);
		break;
	case RFK_MSG_DIED:
		died(l, &msg->u.died);
		break;
	case RFK_MSG_FAILED:
		mold_failed(l, msg);
		break;
	case RFK_MSG_REFUSED:
		copy_tail(text, sizeof(text), msg);
		fail_set(&l->why, 0, "not fork-safe: %s", text);
		break;
	case RFK_MSG_ANSWER:
		inquiry_mold_answers(l, msg);
		break;
	case RFK_MSG_HOOKED:
		if (msg->u.hook.name == RFK_HOOK_BEFORE_EXEC)
			upgrade_answer(
			    l->pool->master, msg->tail, msg->tail_len);
		hooks_done(l->pool, l, &msg->u.hook);
		break;
	case RFK_MSG_STATE:
		state_came(l, &msg->u.state, fds);
		break;
	default:
		break; /* the wire lets nothing else through */
	}
}
