/*
 * A mold as the master sees it: started or adopted, spoken to, mourned. It is
 * freed by on_gone only, after the pool was told.
 */
#include "master/moldlink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <reforkd/version.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "master/handover.h"
#include "master/hear.h"
#include "master/master.h"
#include "master/obituary.h"
#include "master/service.h"
#include "master/words.h"

/* A mold that was told to STOP has this long for its at_exit handlers. */
#define STOP_MS 10000

bool
moldlink_usable(const struct moldlink *l)
{
	return l != NULL && l->state == MOLD_READY && !l->process.dead &&
	       l->process.chan != NULL;
}

void
moldlink_kill(struct moldlink *l, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	if (l->process.dead || l->state == MOLD_KILLED)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (l->why.text[0] == '\0')
		fail_set(&l->why, 0, "%s", text);
	if (!l->is_config_error) /* its one line is said at its end */
		log_warn("%smold gen=%u pid=%d killing: %s", l->pool->label,
		    l->generation, (int)l->process.pid, text);
	l->state = MOLD_KILLED;
	process_disarm(&l->process);
	ev_timer_stop(l->pool->master->loop, &l->binding);
	process_kill(&l->process);
}

static void
on_late(void *owner)
{
	struct moldlink *l = owner;
	/* Its own file's, once that was read; a first mold knows no other. */
	const struct rfk_settings_table *s =
	    l->has_settings ? &l->settings : &l->pool->settings;

	if (l->state == MOLD_STOPPING)
		moldlink_kill(l, "still there %.0fs after STOP", STOP_MS / 1e3);
	else if (l->by_boot)
		moldlink_kill(l, "not ready within boot_timeout %.1fs",
		    (double)s->boot_timeout / 1e3);
	else
		moldlink_kill(l, "not ready within spawn_timeout %.1fs",
		    (double)s->spawn_timeout / 1e3);
}

static void
on_gone(void *owner)
{
	struct moldlink *l = owner;
	struct child *forking = l->forking;
	char cause[1200];

	ev_timer_stop(l->pool->master->loop, &l->binding);
	process_close(&l->process);
	obituary_mold(l, cause, sizeof(cause));
	words_mold_reaped(l);
	l->forking = NULL;
	if (forking != NULL)
		child_event(forking, LIFE_MOLD_GONE);
	hooks_lost(l->pool, l);
	hooks_mold_exit(l->pool, l);
	pool_mold_gone(l->pool, l, cause);
	fd_close(&l->state_fd);
	if (l->has_settings)
		settings_fini(&l->settings);
	buf_fini(&l->block);
	free(l);
}

static void
on_message(void *owner, const struct rfk_msg *msg, int *take_fds)
{
	hear_mold(owner, msg, take_fds);
	pool_touch(((struct moldlink *)owner)->pool);
}

static void
on_broken(void *owner)
{
	moldlink_kill(owner, "broke the protocol");
}

static const struct process_calls calls = {
	.message = on_message,
	.broken = on_broken,
	.late = on_late,
	.gone = on_gone,
};

static struct moldlink *
link_open(struct pool *pool, uint32_t generation, pid_t pid, int take_pidfd,
    int take_chan_fd)
{
	struct moldlink *l = calloc(1, sizeof(*l));

	if (l == NULL) {
		process_reject(take_pidfd, take_chan_fd);
		return NULL;
	}
	l->pool = pool;
	l->generation = generation;
	l->state_fd = -1;
	l->born_ms = clock_ms();
	process_init(&l->process, pool->master, l, &calls);
	if (process_open(&l->process, RFK_MOLD, pid, take_pidfd, take_chan_fd) <
	    0) {
		free(l);
		return NULL;
	}
	return l;
}

static int
send_start(struct moldlink *l)
{
	struct rfk_msg msg = { .type = RFK_MSG_START };
	struct buf tail = BUF_INIT;
	int state = l->pool->state_fd;
	int rc = options_encode(l->pool->master->options, &tail);

	if (rc == 0)
		rc = pool_is_default(l->pool)
			 ? inherit_encode(l->pool->master, &tail)
			 : pool_encode(l->pool, &tail);
	if (rc == 0 && state >= 0) {
		state = fcntl(state, F_DUPFD_CLOEXEC, 3);
		rc = state < 0 ? -errno : 0;
	}
	if (rc == 0) {
		msg.u.start.protocol = RFK_PROTOCOL;
		msg.u.start.generation = l->generation;
		msg.u.start.master_pid = l->pool->master->board->master_pid;
		msg.tail = tail.data;
		msg.tail_len = (uint32_t)tail.len;
		rc = process_put(&l->process, &msg, &state, state >= 0 ? 1 : 0);
	}
	buf_fini(&tail);
	return rc;
}

struct moldlink *
moldlink_boot(struct pool *pool, uint32_t generation, struct fail *why)
{
	struct moldlink *l;
	int pidfd, chan_fd_, rc;
	pid_t pid;

	if (spawn_mold(pool->master, generation, &pid, &pidfd, &chan_fd_, why) <
	    0)
		return NULL;
	l = link_open(pool, generation, pid, pidfd, chan_fd_);
	if (l == NULL) {
		fail_set(why, ENOMEM, "no memory for a mold");
		return NULL;
	}
	l->by_boot = true;
	l->reopens = pool->reopens;
	l->state = MOLD_EVALUATING;
	l->check_only = pool->master->options->check;
	process_arm(&l->process, pool->settings.boot_timeout);
	rc = send_start(l);
	if (rc < 0)
		moldlink_kill(l, "START cannot be sent: %s", strerror(-rc));
	log_debug(
	    "%smold gen=%u pid=%d booting", pool->label, generation, (int)pid);
	return l;
}

struct moldlink *
moldlink_adopt(struct pool *pool, uint32_t generation, pid_t pid,
    int take_pidfd, int take_chan_fd)
{
	struct moldlink *l =
	    link_open(pool, generation, pid, take_pidfd, take_chan_fd);

	if (l == NULL)
		return NULL;
	l->state = MOLD_LOADING;
	process_arm(&l->process, pool->settings.spawn_timeout);
	return l;
}

struct moldlink *
moldlink_resume(struct pool *pool, const struct handover_process *from)
{
	struct moldlink *l = link_open(pool, (uint32_t)from->generation,
	    (pid_t)from->pid, (int)from->pidfd, (int)from->chan);

	if (l == NULL)
		return NULL;
	l->state = MOLD_READY;
	l->by_boot = from->by_boot != 0;
	l->reopens = (unsigned int)from->reopens;
	l->born_ms = (uint64_t)from->since_ms;
	l->ready_ms = (uint64_t)from->ready_ms;
	return l;
}

int
moldlink_fork(struct moldlink *l, struct child *c)
{
	struct rfk_msg msg = { .type = RFK_MSG_FORK };
	int rc;

	if (!moldlink_usable(l))
		return -EPIPE;
	if (l->forking != NULL)
		return -EBUSY;
	c->generation = l->generation;
	c->token = master_token(l->pool->master);
	msg.u.fork.token = c->token;
	msg.u.fork.slot = c->slot;
	msg.u.fork.row = pool_board_row(c->pool, c->row);
	msg.u.fork.generation = l->generation;
	msg.u.fork.service = service_is(c->pool);
	rc = process_put(&l->process, &msg, NULL, 0);
	if (rc < 0)
		return rc;
	words_spawning(c);
	l->forking = c;
	c->mold = l;
	return child_event(c, LIFE_FORK);
}

void
moldlink_stop(struct moldlink *l, bool run_at_exit)
{
	struct rfk_msg msg = { .type = RFK_MSG_STOP };
	int rc;

	if (l->process.dead || l->state == MOLD_STOPPING ||
	    l->state == MOLD_KILLED)
		return;
	if (l->state == MOLD_EVALUATING || l->state == MOLD_BINDING ||
	    l->state == MOLD_LOADING) {
		moldlink_kill(l, "not wanted any more");
		return;
	}
	msg.u.stop.run_at_exit = run_at_exit;
	l->state = MOLD_STOPPING;
	process_arm(&l->process, STOP_MS);
	rc = process_put(&l->process, &msg, NULL, 0);
	/* A closed channel is a mold that is ending by itself: a TERM to the
	 * process group was its, too. Its pidfd tells, or else the deadline. */
	if (rc < 0 && rc != -EPIPE)
		moldlink_kill(l, "cannot be told to stop: %s", strerror(-rc));
}

void
moldlink_reopen(struct moldlink *l)
{
	struct rfk_msg msg = { .type = RFK_MSG_REOPEN };

	process_put(&l->process, &msg, NULL, 0);
}

int
moldlink_hook(struct moldlink *l, const struct rfk_hook *hook, const char *text)
{
	struct rfk_msg msg = { .type = RFK_MSG_HOOK };

	msg.u.hook = *hook;
	msg.tail = text;
	msg.tail_len = text != NULL ? (uint32_t)strlen(text) : 0;
	return process_put(&l->process, &msg, NULL, 0);
}

void
moldlink_state(struct moldlink *l)
{
	struct rfk_msg msg = { .type = RFK_MSG_STATE };
	int fd;

	if (l->by_boot || l->pool->state_fd < 0 || !moldlink_usable(l))
		return;
	fd = fcntl(l->pool->state_fd, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		return;
	msg.u.state.bytes = l->pool->state_bytes;
	process_put(&l->process, &msg, &fd, 1);
}

void
moldlink_no_listeners(struct moldlink *l)
{
	struct rfk_msg msg = { .type = RFK_MSG_CONFIGURED };

	process_put(&l->process, &msg, NULL, 0);
}

int
moldlink_ask(struct moldlink *l, const struct rfk_ask *ask)
{
	struct rfk_msg msg = { .type = RFK_MSG_ASK };

	msg.u.ask = *ask;
	return process_put(&l->process, &msg, NULL, 0);
}
