/*
 * The molds of a pool: the current one, the next one, the retired ones. From
 * SETTINGS over the listeners to the one that workers are forked from.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/cutoff.h"
#include "base/fd.h"
#include "base/log.h"
#include "master/failures.h"
#include "master/leases.h"
#include "master/master.h"
#include "master/memory.h"
#include "master/pools.h"
#include "master/print.h"
#include "master/words.h"

/* i counts over the current mold, the next one and the retired ones. */
struct moldlink *
pool_mold_at(struct pool *p, size_t i)
{
	if (i == 0)
		return p->mold;
	if (i == 1)
		return p->succession.next;
	return p->old[i - 2];
}

struct moldlink *
pool_mold_by_pid(struct pool *p, pid_t pid)
{
	struct moldlink *l;
	size_t i;

	for (i = 0; i < POOL_MOLDS; i++) {
		l = pool_mold_at(p, i);
		if (l != NULL && l->process.pid == pid)
			return l;
	}
	return NULL;
}

void
pool_drain_molds(struct pool *p)
{
	struct moldlink *l;
	size_t i;

	for (i = 0; i < POOL_MOLDS; i++) {
		l = pool_mold_at(p, i);
		if (l != NULL)
			process_read(&l->process);
	}
}

static int
send_configured(struct pool *p, struct moldlink *l)
{
	struct rfk_msg msg = { .type = RFK_MSG_CONFIGURED };
	int fds[RFK_LISTENERS_MAX];
	size_t i;

	for (i = 0; i < p->next_listeners.n; i++) {
		fds[i] = fcntl(p->next_listeners.at[i].fd, F_DUPFD_CLOEXEC, 3);
		if (fds[i] < 0) {
			int rc = -errno;

			while (i-- > 0)
				fd_close(&fds[i]);
			return rc;
		}
	}
	msg.u.configured.listeners = (uint32_t)p->next_listeners.n;
	return process_put(&l->process, &msg, fds, (int)p->next_listeners.n);
}

static void
on_binding(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct moldlink *l = w->data;

	(void)loop;
	(void)revents;
	pool_mold_settings(l->pool, l);
}

/* Its SETTINGS have come: what may fail happens now (DESIGN 3). */
void
pool_mold_settings(struct pool *p, struct moldlink *l)
{
	struct master *m = p->master;
	struct fail why = FAIL_INIT;
	int delay_ms = 0, rc = 0;

	if (l->check_only) {
		print_settings(&l->settings);
		return;
	}
	if (!p->is_settled && p->bind_tries == 0 && pool_is_default(p))
		rc = master_apply(m, &l->settings, &why);
	p->next_listeners.is_reload = p->mold != l;
	if (rc == 0)
		rc = master_leases(m, &l->settings, &why);
	if (rc == 0)
		inherit_claim(p, &l->settings);
	if (rc == 0)
		rc = listeners_bind(&p->listeners, &p->next_listeners,
		    &l->settings, &p->bind_tries, &delay_ms, &why);
	if (rc == -EAGAIN) {
		ev_timer_init(&l->binding, on_binding, delay_ms / 1e3, 0.);
		l->binding.data = l;
		ev_timer_start(m->loop, &l->binding);
		return;
	}
	if (rc == 0) {
		words_mold_spawned(l);
		rc = send_configured(p, l);
	}
	if (rc < 0) {
		l->is_config_error = true;
		moldlink_kill(l, "%s", why.text[0] ? why.text : strerror(-rc));
		return;
	}
	p->bind_tries = 0;
	l->state = MOLD_LOADING;
}

void
pool_discard(struct pool *p, struct moldlink *l)
{
	size_t i;

	for (i = 0; i < POOL_OLD_MOLDS; i++)
		if (p->old[i] == NULL)
			break;
	if (i == POOL_OLD_MOLDS) {
		moldlink_kill(p->old[0], "too many retired molds");
		i = 0; /* its pidfd still buries it */
	}
	p->old[i] = l;
	moldlink_stop(l, false);
}

static void
on_dropping(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct pool *p = w->data;

	(void)loop;
	(void)revents;
	listeners_end(&p->dropped);
}

void
pool_dropping_init(struct pool *p)
{
	ev_timer_init(&p->dropping, on_dropping, CUTOFF_GRACE_MS / 1e3, 0.);
	p->dropping.data = p;
}

static void
take_listeners(struct pool *p)
{
	struct ev_loop *loop = p->master->loop;

	ev_timer_stop(loop, &p->dropping);
	listeners_end(&p->dropped);
	listeners_commit(&p->listeners, &p->next_listeners, &p->dropped);
	ev_timer_set(&p->dropping, CUTOFF_GRACE_MS / 1e3, 0.);
	ev_now_update(loop);
	ev_timer_start(loop, &p->dropping);
}

/* What cannot be undone, when the next mold's settings come into force. */
static void
take_settings(struct pool *p, struct moldlink *l)
{
	struct fail why = FAIL_INIT;
	bool reload = p->is_settled;

	take_listeners(p);
	settings_fini(&p->settings);
	p->settings = l->settings;
	l->has_settings = false;
	buf_fini(&p->block);
	p->block = l->block;
	memset(&l->block, 0, sizeof(l->block));
	p->is_settled = true;
	if (reload && pool_is_default(p) &&
	    master_apply(p->master, &p->settings, &why) < 0)
		log_error("%s", why.text);
	if (!reload || p->succession.kind == SUCCESSION_RELOAD)
		pool_scale(p,
		    (uint32_t)(spares_kept(p) ? p->settings.spare
					      : p->settings.worker_processes),
		    NULL);
	if (pool_is_default(p))
		pools_follow(p->master);
	keys_follow(p);
}

void
pool_elder_quit(struct pool *p, uint32_t slot)
{
	struct child *a = pool_child(p, slot, 0);
	struct child *b = pool_child(p, slot, 1);
	/* Tokens are given out in order. */
	struct child *elder = a->token > b->token ? b : a;

	/* A session goes on to its own end. */
	if (child_serves(a) && child_serves(b) && elder->lease == NULL)
		child_event(elder, LIFE_QUIT);
}

void
pool_take_state(struct pool *p, struct moldlink *l)
{
	if (l->state_fd < 0)
		return;
	fd_close(&p->state_fd);
	p->state_fd = l->state_fd;
	p->state_bytes = l->state_bytes;
	l->state_fd = -1;
	if (l == p->mold && p->succession.next != NULL)
		moldlink_state(p->succession.next);
}

void
pool_install(struct pool *p, struct moldlink *l)
{
	uint32_t slot;

	if (l->has_settings)
		take_settings(p, l);
	if (p->mold != NULL) {
		words_mold_terminating(p->mold);
		pool_discard(p, p->mold);
	}
	p->mold = l;
	pool_take_state(p, l);
	p->generation = l->generation;
	if (l->by_boot && p->succession.kind == SUCCESSION_RELOAD) {
		p->reloaded = l->generation;
		tasks_again(p);
	}
	if (p->last_generation < l->generation)
		p->last_generation = l->generation;
	p->master->board->pool[p->index].generation = l->generation;
	p->boot_failures = 0;
	for (slot = 0; slot < p->slots; slot++)
		pool_elder_quit(p, slot);
	oom_set(&p->master->oom, &p->settings, OOM_MOLD, l->process.pid);
	memory_apply(p->memory);
	if (p->master->phase == MASTER_SERVING)
		watchdog_start(
		    p->master); /* its timeout may be a shorter one */
	master_title(p->master);
	lease_generation(p);
	pool_touch(p);
}

void
pool_mold_ready(struct pool *p, struct moldlink *l)
{
	failures_none(p);
	if (p->succession.next == l) {
		succession_mold_ready(p, l);
		return;
	}
	if (p->mold != l)
		return;
	/* The first mold: it is its own generation's, nothing to replace. */
	p->mold = NULL;
	if (!pool_is_default(p)) {
		pool_install(p, l);
		return;
	}
	pool_install(p, l);
	p->master->phase = MASTER_SERVING;
	hooks_monitor_ready(p);
	watchdog_start(p->master);
}

static void
say_no_boot(const struct moldlink *l, const char *cause)
{
	if (l->has_said)
		log_fatal("the initial mold failed to boot: correct what it "
			  "has said above and start again");
	else
		log_fatal("the initial mold failed to boot (%s)", cause);
}

void
pool_mold_gone(struct pool *p, struct moldlink *l, const char *cause)
{
	size_t i;

	for (i = 0; i < POOL_OLD_MOLDS; i++)
		if (p->old[i] == l)
			p->old[i] = NULL;
	pool_touch(p);
	if (p->succession.next == l) {
		failures_mold_gone(p, l);
		succession_mold_gone(p, l, cause);
		return;
	}
	if (p->mold != l)
		return;
	p->mold = NULL;
	if (p->master->phase == MASTER_BOOTING) {
		listeners_undo(&p->next_listeners);
		if (l->check_only && l->process.exit.code == CLD_EXITED)
			master_fail(p->master, l->process.exit.status);
		else {
			if (!l->is_config_error)
				say_no_boot(l, cause);
			master_fail(p->master, 1);
		}
		if (l->is_config_error)
			print_error(p->master->options, l->why.text);
		return;
	}
	if (pool_is_stopping(p))
		return;
	if (p->is_settled)
		log_warn("%sthe mold is gone, its workers go on", p->label);
	else
		pools_boot_failed(p,
		    l->why.text[0] != '\0' ? l->why.text : cause, l->has_said);
}
