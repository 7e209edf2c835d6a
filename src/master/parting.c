#include "master/parting.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <reforkd/scoreboard.h>
#include <reforkd/version.h>

#include "base/fd.h"
#include "ipc/chan.h"
#include "master/control.h"
#include "master/handover.h"
#include "master/master.h"

/* --- is it quiet? ------------------------------------------------------ */

static bool
pending(const struct process *p)
{
	return p->dead || p->chan == NULL || chan_pending(p->chan);
}

/* NULL, or what a worker is in the middle of. */
static const char *
child_busy(const struct child *c)
{
	switch (c->state) {
	case LIFE_VACANT:
		return NULL;
	case LIFE_SERVING:
	case LIFE_DRAINING:
		return pending(&c->process) ? "is ending" : NULL;
	case LIFE_FORKING:
	case LIFE_UNWANTED:
	case LIFE_BOOTING:
		return "is being made";
	case LIFE_MOLDING:
		return "is being promoted";
	default:
		return "was killed";
	}
}

/* NULL, or what the pool is in the middle of, beside its workers. */
static const char *
pool_busy(struct pool *p)
{
	const struct moldlink *l = p->mold;
	size_t i;

	for (i = 1; i < POOL_MOLDS; i++)
		if (pool_mold_at(p, i) != NULL)
			return "a mold is booting or ending";
	if (p->succession.stage != SUCCESSION_NONE || p->succession.queued)
		return "a refork or reload is under way";
	if (p->is_leaving)
		return "the pool is ending";
	if (p->is_settled != (l != NULL))
		return "there is no mold, or it boots";
	if (l != NULL &&
	    (!moldlink_usable(l) || l->forking != NULL || pending(&l->process)))
		return "the mold is forking or ending";
	if (!hooks_idle(p) || (l != NULL && l->hook != NULL))
		return "a callback runs";
	if (recycle_busy(p))
		return "a worker is being replaced";
	if (p->dropped.n > 0 || p->next_listeners.n > 0)
		return "a listener is being closed or opened";
	return NULL;
}

bool
parting_is_quiet(const struct master *m, char *out, size_t cap)
{
	struct pool *p = NULL;
	const char *busy;
	uint32_t i;

	while ((p = pools_next(m, p)) != NULL) {
		busy = pool_busy(p);
		if (busy != NULL) {
			snprintf(out, cap, "%s%s", p->label, busy);
			return false;
		}
		for (i = 0; i < 2 * p->slots; i++) {
			busy = child_busy(&p->children[i]);
			if (busy == NULL)
				continue;
			snprintf(out, cap, "%sworker=%u %s", p->label,
			    p->children[i].slot, busy);
			return false;
		}
	}
	return true;
}

/* --- the state --------------------------------------------------------- */

static void
put_process(struct handover_process *to, const struct process *p)
{
	to->pid = p->pid;
	to->pidfd = p->pidfd;
	to->chan = p->chan != NULL ? chan_fd(p->chan) : -1;
}

static int
put_child(struct handover_pool *to, const struct child *c)
{
	struct handover_process *one = handover_process_add(to);

	if (one == NULL)
		return -ENOMEM;
	put_process(one, &c->process);
	one->slot = c->slot;
	one->row = c->row;
	one->state = c->state;
	one->generation = c->generation;
	one->token = (int64_t)c->token;
	one->reopens = c->reopens;
	one->expected = c->expected;
	one->since_ms = (int64_t)c->forked_ms;
	one->ready_ms = (int64_t)c->ready_ms;
	one->drain_ms = (int64_t)c->drain_ms;
	return 0;
}

static int
put_mold(struct handover_pool *to, const struct moldlink *l)
{
	struct handover_process *one = handover_process_add(to);

	if (one == NULL)
		return -ENOMEM;
	put_process(one, &l->process);
	one->slot = one->row = -1;
	one->generation = l->generation;
	one->reopens = l->reopens;
	one->by_boot = l->by_boot;
	one->since_ms = (int64_t)l->born_ms;
	one->ready_ms = (int64_t)l->ready_ms;
	return 0;
}

/* Nobody is there, and nobody shall be: its run block has ended. */
static int
put_done(struct handover_pool *to, const struct pool *p, uint32_t slot)
{
	struct handover_process *one = handover_process_add(to);

	if (one == NULL)
		return -ENOMEM;
	one->slot = slot;
	one->state = LIFE_VACANT;
	one->pidfd = one->chan = -1;
	one->expected = !p->has_failed_run;
	return 0;
}

static int
put_listener(struct handover_pool *to, const struct listener *l)
{
	struct handover_listener *one = handover_listener_add(to, l->address);

	if (one == NULL)
		return -ENOMEM;
	one->fd = l->fd;
	one->shared = l->shared;
	one->immortal = l->immortal;
	return 0;
}

static int
put_lists(struct handover_pool *to, const struct pool *p)
{
	uint32_t i;
	int rc = buf_put(&to->settings, p->block.data, p->block.len);

	for (i = 0; rc == 0 && i < p->listeners.n; i++)
		rc = put_listener(to, &p->listeners.at[i]);
	if (rc == 0 && p->mold != NULL)
		rc = put_mold(to, p->mold);
	for (i = 0; rc == 0 && i < 2 * p->slots; i++)
		if (child_lives(&p->children[i]))
			rc = put_child(to, &p->children[i]);
	for (i = 0; rc == 0 && i < p->wanted; i++)
		if (p->done[i])
			rc = put_done(to, p, i);
	return rc;
}

static int
put_pool(struct handover *h, const struct pool *p)
{
	struct handover_pool *to = handover_pool_add(h, p->name);

	if (to == NULL)
		return -ENOMEM;
	to->index = p->index;
	to->personality = p->settings.personality;
	to->wanted = p->wanted;
	to->generation = p->generation;
	to->last_generation = p->last_generation;
	to->reloaded = p->reloaded;
	to->reopens = p->reopens;
	to->term_is_trapped = p->term_is_trapped;
	to->state_fd = p->state_fd;
	to->state_bytes = (int64_t)p->state_bytes;
	to->drain_ms = settings_drain_ms(&p->settings);
	return put_lists(to, p);
}

static void
put_master(struct handover *h, const struct master *m)
{
	h->protocol = RFK_PROTOCOL;
	h->row_bytes = (int64_t)sizeof(struct rfk_row);
	h->board_fd = m->board_fd;
	h->started_ms = (int64_t)m->started_ms;
	h->next_token = (int64_t)m->next_token;
	h->oom_is_known = m->oom.is_known;
	h->oom_may_lower = m->oom.may_lower;
	h->oom_base = m->oom.base;
	snprintf(h->pid_file, sizeof(h->pid_file), "%s", m->pid_file);
	snprintf(h->who, sizeof(h->who), "%s", m->restart.who);
	if (m->control == NULL)
		return;
	h->control_fd = control_fd(m->control);
	snprintf(h->control_path, sizeof(h->control_path), "%s",
	    control_path(m->control));
	if (m->restart.client != NULL)
		h->client_fd = control_client_fd(m->restart.client);
}

/* A pool that has never come up is begun anew by the reload that follows. */
struct handover *
parting_state(const struct master *m)
{
	struct handover *h = handover_new();
	struct pool *p = NULL;
	int rc = 0;

	if (h == NULL)
		return NULL;
	put_master(h, m);
	while (rc == 0 && (p = pools_next(m, p)) != NULL)
		if (p->is_settled)
			rc = put_pool(h, p);
	if (rc == 0)
		return h;
	handover_free(h);
	return NULL;
}

int
parting_write(const struct handover *h)
{
	struct buf text = BUF_INIT;
	int rc = handover_encode(h, &text);
	int fd = -1;

	if (rc == 0) {
		fd = memfd_create("reforkd-handover", MFD_CLOEXEC);
		rc = fd < 0 ? -errno : fd_write_all(fd, text.data, text.len);
	}
	buf_fini(&text);
	if (rc < 0)
		fd_close(&fd);
	return rc < 0 ? rc : fd;
}

/* --- descriptors ------------------------------------------------------- */

static void
one(int64_t fd, bool inherit)
{
	if (fd >= 0)
		(void)fd_cloexec((int)fd, !inherit);
}

void
parting_inherit(const struct handover *h, bool inherit)
{
	const struct handover_pool *p;
	size_t i, n;

	one(h->board_fd, inherit);
	one(h->control_fd, inherit);
	one(h->client_fd, inherit);
	for (n = 0; n < h->pools; n++) {
		p = &h->pool[n];
		one(p->state_fd, inherit);
		for (i = 0; i < p->listeners; i++)
			one(p->listener[i].fd, inherit);
		for (i = 0; i < p->processes; i++) {
			one(p->process[i].pidfd, inherit);
			one(p->process[i].chan, inherit);
		}
	}
}
