#include "master/words.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "ipc/board.h"
#include "master/master.h"
#include "master/service.h"

static enum rfk_personality
personality(const struct child *c)
{
	return c->pool->settings.personality;
}

/* As Process::Status#inspect. */
static const char *
status_text(const struct process *p, char *out, size_t cap)
{
	char how[96];

	pidfd_exit_text(&p->exit, how, sizeof(how));
	snprintf(out, cap, "#<Process::Status: pid %d %s>", (int)p->pid, how);
	return out;
}

static const char *
who(const struct child *c, char out[32])
{
	if (service_is(c->pool))
		snprintf(out, 32, "service");
	else
		snprintf(out, 32, "worker=%u", c->slot);
	return out;
}

void
words_choose(const struct rfk_settings_table *s)
{
	log_progname_set(s->personality == RFK_PITCHFORK ? "[Pitchfork]" : "");
}

void
words_spawning(const struct child *c)
{
	char name[32];

	if (personality(c) == RFK_UNICORN)
		log_info("worker=%u spawning...", c->slot);
	else if (personality(c) == RFK_PITCHFORK)
		log_info("%s gen=%u spawning...", who(c, name), c->generation);
}

void
words_spawned(const struct child *c)
{
	char name[96];

	if (personality(c) == RFK_UNICORN)
		log_info(
		    "worker=%u spawned pid=%d", c->slot, (int)c->process.pid);
	if (personality(c) != RFK_PITCHFORK)
		return;
	child_name(c, name, sizeof(name));
	log_info("%s spawned", name);
	log_info("%s registered", name);
}

void
words_ready(const struct child *c)
{
	unsigned long long took = c->ready_ms - c->forked_ms;
	char name[96];

	if (personality(c) == RFK_UNICORN)
		log_info("worker=%u ready", c->slot);
	else if (personality(c) == RFK_PITCHFORK)
		log_info("%s ready", child_name(c, name, sizeof(name)));
	else
		log_info("%s ready after %llums",
		    child_name(c, name, sizeof(name)), took);
}

void
words_replaced(const struct child *c)
{
	char name[96];

	if (personality(c) == RFK_PITCHFORK &&
	    c->generation < c->pool->generation)
		log_info(
		    "Sent SIGTERM to %s", child_name(c, name, sizeof(name)));
}

void
words_exiting(const struct child *c)
{
	char name[96];

	if (personality(c) == RFK_PITCHFORK)
		log_info("%s exiting", child_name(c, name, sizeof(name)));
}

void
words_volunteered(const struct child *c, uint64_t requests)
{
	char name[96];

	if (personality(c) == RFK_PITCHFORK)
		log_info("%s processed %llu requests, triggering a refork",
		    child_name(c, name, sizeof(name)),
		    (unsigned long long)requests);
}

void
words_reaped(const struct child *c)
{
	bool fine = pidfd_ok(&c->process.exit);
	char status[160], name[96];

	status_text(&c->process, status, sizeof(status));
	if (personality(c) == RFK_UNICORN)
		(fine ? log_info : log_error)(
		    "reaped %s worker=%u", status, c->slot);
	else if (personality(c) == RFK_PITCHFORK)
		(fine ? log_info : log_error)("%s reaped (%s)",
		    child_name(c, name, sizeof(name)), status);
}

static bool
is_pitchfork(const struct moldlink *l)
{
	const struct rfk_settings_table *s =
	    l->has_settings ? &l->settings : &l->pool->settings;

	return s->personality == RFK_PITCHFORK;
}

void
words_mold_spawned(const struct moldlink *l)
{
	if (is_pitchfork(l))
		log_info("mold gen=%u pid=%d spawned", l->generation,
		    (int)l->process.pid);
}

/* The line that is waited for ends there in pitchfork. */
void
words_mold_ready(const struct moldlink *l)
{
	if (is_pitchfork(l))
		log_info("mold gen=%u pid=%d ready", l->generation,
		    (int)l->process.pid);
	else
		log_info("%smold gen=%u pid=%d ready after %llums",
		    l->pool->label, l->generation, (int)l->process.pid,
		    (unsigned long long)(l->ready_ms - l->born_ms));
}

void
words_mold_terminating(const struct moldlink *l)
{
	log_info("%s%s old mold gen=%u pid=%d", l->pool->label,
	    is_pitchfork(l) ? "Terminating" : "terminating", l->generation,
	    (int)l->process.pid);
}

void
words_mold_reaped(const struct moldlink *l)
{
	char status[160];

	if (!is_pitchfork(l))
		return;
	(pidfd_ok(&l->process.exit) ? log_info : log_error)(
	    "mold gen=%u pid=%d reaped (%s)", l->generation,
	    (int)l->process.pid,
	    status_text(&l->process, status, sizeof(status)));
}

void
words_overdue(const struct child *c, const struct board_view *v,
    uint64_t took_ms, uint64_t limit_ms)
{
	char name[96];

	if (personality(c) == RFK_UNICORN)
		log_error("worker=%u PID:%d timeout (%llus > %llus), killing: "
			  "%s %s",
		    c->slot, (int)c->process.pid,
		    (unsigned long long)(took_ms + 999) / 1000,
		    (unsigned long long)limit_ms / 1000, v->method, v->path);
	else if (personality(c) == RFK_PITCHFORK)
		log_error("%s timed out, killing: %s %s after %.3fs",
		    child_name(c, name, sizeof(name)), v->method, v->path,
		    (double)took_ms / 1e3);
	else
		log_error("%s timeout (%.3fs > %.3fs), killing: %s %s",
		    child_name(c, name, sizeof(name)), (double)took_ms / 1e3,
		    (double)limit_ms / 1e3, v->method, v->path);
}

void
words_master_ready(const struct master *m)
{
	if (m->pool.settings.personality == RFK_UNICORN) {
		log_info("master process ready");
		return;
	}
	if (m->pool.settings.personality == RFK_PITCHFORK) {
		log_info("monitor pid=%d ready", (int)getpid());
		log_info("monitor process ready");
	}
	log_info("master process ready: %u workers of gen=%u", m->pool.wanted,
	    m->pool.generation);
}

void
words_master_stopping(const struct master *m, bool graceful, const char *why)
{
	if (m->pool.settings.personality == RFK_PITCHFORK &&
	    strncmp(why, "SIG", 3) == 0)
		why += 3;
	log_info("%s received, %s", why,
	    graceful ? "starting graceful shutdown" : "stopping at once");
}

void
words_master_complete(const struct master *m)
{
	if (m->pool.settings.personality == RFK_PITCHFORK)
		log_info("monitor complete status=%d", m->exit_status);
	else if (m->exit_status == 0)
		log_info("master complete");
}
