#include "master/takeover.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <reforkd/scoreboard.h>
#include <reforkd/version.h>

#include "base/fault.h"
#include "base/fd.h"
#include "base/log.h"
#include "master/control.h"
#include "master/handover.h"
#include "master/master.h"
#include "master/memory.h"

/* --- what is read ------------------------------------------------------ */

static int
read_all(int fd, struct buf *out)
{
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size <= 0 || buf_reserve(out, (size_t)st.st_size) < 0)
		return -EINVAL;
	n = pread(fd, out->data, (size_t)st.st_size, 0);
	if (n != st.st_size)
		return n < 0 ? -errno : -EIO;
	out->len = (size_t)n;
	return 0;
}

static int
settings_agree(const struct handover_pool *p, struct fail *why)
{
	struct rfk_settings_table table;
	char text[160] = "";
	int rc = settings_init(&table);

	if (rc == 0)
		rc = settings_decode(&table, p->settings.data, p->settings.len,
		    text, sizeof(text));
	settings_fini(&table);
	if (rc < 0)
		return fail_set(why, -rc, "a setting of pool %s: %s", p->name,
		    text[0] != '\0' ? text : strerror(-rc));
	return 0;
}

/* The workers of a program that speaks otherwise cannot be taken over, but
 * their listeners can: those of other pools wait in one list. */
static int
sockets_fit(const struct handover *h, struct fail *why)
{
	size_t i, n = 0;

	for (i = 1; i < h->pools; i++)
		n += h->pool[i].listeners;
	if (n > RFK_LISTENERS_MAX || h->pool[0].listeners > RFK_LISTENERS_MAX)
		return fail_set(why, E2BIG,
		    "it speaks another protocol, and its pools have more than "
		    "%d sockets: stop and start it",
		    RFK_LISTENERS_MAX);
	return 0;
}

/* Molds and workers are understood, and rows read, as they are; or else they
 * are strangers. */
static int
agree(struct handover *h, struct fail *why)
{
	size_t i;
	int rc = 0;

	if (h->protocol != RFK_PROTOCOL ||
	    h->row_bytes != (int64_t)sizeof(struct rfk_row))
		h->is_other = true;
	if (h->is_other)
		return sockets_fit(h, why);
	for (i = 0; rc == 0 && i < h->pools; i++)
		rc = settings_agree(&h->pool[i], why);
	return rc;
}

struct handover *
takeover_read(int fd, struct fail *why)
{
	struct handover *h = handover_new();
	struct buf text = BUF_INIT;
	int rc = h != NULL ? read_all(fd, &text) : -ENOMEM;

	if (rc < 0)
		fail_set(why, -rc, "%s", strerror(-rc));
	else
		rc = handover_decode(h, text.data, text.len, why);
	if (rc == 0)
		rc = agree(h, why);
	buf_fini(&text);
	if (rc == 0)
		return h;
	handover_free(h);
	fail_in(why, "cannot go on from the state of the running master");
	return NULL;
}

/* --- what becomes of it ------------------------------------------------ */

static int
take_settings(struct pool *p, const struct handover_pool *from)
{
	char why[160];
	int rc = buf_put(&p->block, from->settings.data, from->settings.len);

	if (rc == 0)
		rc = settings_decode(&p->settings, p->block.data, p->block.len,
		    why, sizeof(why));
	p->settings.personality = (enum rfk_personality)from->personality;
	return rc;
}

static int
take_listeners(struct listeners *to, const struct handover_pool *from)
{
	const struct handover_listener *l;
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && i < from->listeners; i++) {
		l = &from->listener[i];
		rc = listeners_resume(to, l->address, (int)l->fd,
		    l->shared != 0, l->immortal != 0);
	}
	return rc;
}

static int
take_process(struct pool *p, const struct handover_process *from)
{
	struct child *c;

	if (from->slot >= RFK_SLOTS_MAX)
		return -EPROTO;
	if (from->slot >= 0 && from->state == LIFE_VACANT) {
		p->done[from->slot] = true;
		p->has_failed_run = p->has_failed_run || from->expected == 0;
		return 0;
	}
	(void)fd_cloexec((int)from->pidfd, true);
	if (from->slot < 0) {
		p->mold = moldlink_resume(p, from);
		return p->mold != NULL ? 0 : -ENOMEM;
	}
	if (from->row != 2 * from->slot && from->row != 2 * from->slot + 1)
		return -EPROTO;
	pool_use_slots(p, (uint32_t)from->slot + 1);
	c = &p->children[from->row];
	return child_lives(c) ? -EPROTO : child_resume(c, from);
}

static int
take_pool(struct pool *p, const struct handover_pool *from)
{
	size_t i;
	int rc = take_settings(p, from);

	p->is_settled = p->serving = true;
	p->generation = (uint32_t)from->generation;
	p->last_generation = (uint32_t)from->last_generation;
	p->reloaded = (uint32_t)from->reloaded;
	p->reopens = (unsigned int)from->reopens;
	p->term_is_trapped = from->term_is_trapped != 0;
	p->state_fd = (int)from->state_fd;
	p->state_bytes = (uint64_t)from->state_bytes;
	if (p->state_fd >= 0)
		(void)fd_cloexec(p->state_fd, true);
	if (rc == 0)
		rc = take_listeners(&p->listeners, from);
	for (i = 0; rc == 0 && i < from->processes; i++)
		rc = take_process(p, &from->process[i]);
	pool_scale(p, (uint32_t)from->wanted, NULL);
	memory_apply(p->memory);
	return rc;
}

static int
take_pools(struct master *m, const struct handover *h)
{
	struct pool *p;
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && i < h->pools; i++) {
		p = i == 0 ? &m->pool
			   : pools_add_at(m, (uint32_t)h->pool[i].index,
				 h->pool[i].name);
		rc = p != NULL ? take_pool(p, &h->pool[i]) : -ENOMEM;
	}
	return rc;
}

/* Its pools come up as at a start, while the processes there are serve. */
static int
take_strangers(struct master *m, const struct handover *h)
{
	struct pool *p = &m->pool;
	size_t i;
	int rc = 0;

	/* What signals mean, until its mold says it. */
	if (h->pool[0].personality == RFK_UNICORN ||
	    h->pool[0].personality == RFK_PITCHFORK)
		p->settings.personality =
		    (enum rfk_personality)h->pool[0].personality;
	p->term_is_trapped = h->pool[0].term_is_trapped != 0;
	for (i = 0; rc == 0 && i < h->pools; i++)
		rc = take_listeners(
		    i == 0 ? &p->listeners : &m->inherited, &h->pool[i]);
	return rc == 0 ? strangers_take(m, h) : rc;
}

/* As after a HUP: new code by a fresh mold, or the workers there are. */
static void
renew(struct master *m, const struct handover *h)
{
	struct control_client *c = NULL;

	if (m->control != NULL && h->client_fd >= 0)
		c = control_client_resume(
		    m->control, (int)h->client_fd, h->who);
	if (c != NULL)
		verbs_resume(c, &m->pool);
	m->notify.said = NOTIFY_RELOADING;
	succession_start(&m->pool, SUCCESSION_RELOAD, true, UINT32_MAX, h->who);
}

int
takeover_run(struct master *m, const struct handover *h, struct fail *why)
{
	int rc;

	m->started_ms = (uint64_t)h->started_ms;
	m->next_token = (uint64_t)h->next_token;
	m->oom.is_known = h->oom_is_known != 0;
	m->oom.may_lower = h->oom_may_lower != 0;
	m->oom.base = (int)h->oom_base;
	snprintf(m->pid_file, sizeof(m->pid_file), "%s", h->pid_file);
	snprintf(m->restart.who, sizeof(m->restart.who), "%s", h->who);
	m->phase = MASTER_SERVING;
	m->is_ready = !h->is_other;
	rc = h->is_other ? take_strangers(m, h) : take_pools(m, h);
	if (rc == 0 && h->control_fd >= 0) {
		m->control =
		    control_open(m, h->control_path, (int)h->control_fd, why);
		rc = m->control != NULL ? 0 : -ENOMEM;
	}
	if (rc < 0)
		return fail_set(why, -rc, "the state of the master before: %s",
		    strerror(-rc));
	upgrade_share(m);
	watchdog_start(m);
	master_title(m);
	if (h->is_other)
		log_info("restarted in place: %zu processes of the program "
			 "before, which speaks another protocol, go on until "
			 "new workers serve",
		    m->strangers.left);
	else
		log_info("restarted in place: %u workers of gen=%u go on",
		    pool_alive(&m->pool), m->pool.generation);
	fault_at("takeover");
	renew(m, h);
	return 0;
}
