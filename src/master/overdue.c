#include "master/overdue.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "ipc/board.h"
#include "master/master.h"
#include "master/words.h"

/* What the mold's own interruption of a callback may take. */
#define GRACE_MS 500

void
overdue_unit(struct child *c, const struct board_view *v, uint64_t now_ms)
{
	uint64_t took_ms = now_ms - v->unit_ms;
	uint64_t limit_ms = v->deadline_ms - v->unit_ms;

	words_overdue(c, v, took_ms, limit_ms);
	c->overdue =
	    hooks_hard_timeout(c->pool, c) ? OVERDUE_ASKED : OVERDUE_FOUND;
	child_kill(c, LIFE_STALE, "timeout (%.3fs > %.3fs) in %s %s",
	    (double)took_ms / 1e3, (double)limit_ms / 1e3, v->method, v->path);
}

void
overdue_silent(struct child *c, const struct board_view *v, uint64_t now_ms)
{
	double quiet = (double)(now_ms - v->beat_ms) / 1e3;
	char name[96];

	log_error("%s has shown no sign of life for %.1fs, killing",
	    child_name(c, name, sizeof(name)), quiet);
	c->overdue = OVERDUE_FOUND;
	child_kill(c, LIFE_STALE, "no sign of life for %.1fs", quiet);
}

/* False for KILL, which is the caller's. */
static bool
signal_send(struct child *c, int signo)
{
	char name[96];

	if (signo == SIGKILL)
		return false;
	log_info("sent %s to %s", strsignal(signo),
	    child_name(c, name, sizeof(name)));
	c->overdue = OVERDUE_SIGNALLED;
	pidfd_signal(c->process.pidfd, signo);
	process_arm(&c->process, c->pool->settings.spawn_timeout);
	return true;
}

bool
overdue_holds(struct child *c)
{
	const struct rfk_settings_table *s = &c->pool->settings;
	enum overdue was = c->overdue;
	char name[96];

	c->overdue = OVERDUE_NOT;
	switch (was) {
	case OVERDUE_NOT:
	case OVERDUE_WAITING: /* its deadline, or a full stop */
		break;
	case OVERDUE_FOUND:
		return signal_send(c, (int)s->timeout_signal);
	case OVERDUE_ASKED:
		c->overdue = OVERDUE_WAITING;
		process_arm(&c->process, settings_hook_ms(s) + GRACE_MS);
		return true;
	case OVERDUE_SIGNALLED:
		log_error("%s is still there after timeout_signal, killing",
		    child_name(c, name, sizeof(name)));
		break;
	}
	return false;
}

void
overdue_answer(struct pool *p, const struct rfk_hook *about)
{
	int signo = about->status;
	uint32_t i;

	if (signo < 1 || signo > 64)
		signo = (int)p->settings.timeout_signal;
	for (i = 0; i < 2 * p->slots; i++) {
		struct child *c = &p->children[i];

		if (c->overdue != OVERDUE_WAITING ||
		    c->process.pid != about->pid || c->state != LIFE_KILLED)
			continue;
		process_disarm(&c->process);
		if (!signal_send(c, signo))
			process_kill(&c->process);
		return;
	}
}
