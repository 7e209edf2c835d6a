/*
 * Calls wait in one queue, so that callbacks and lines keep their order. A line
 * is in exactly one place: queued, under way in a mold, or written.
 */
#include "master/hooks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "master/master.h"
#include "master/overdue.h"

/* Deaths of a whole pool, while a mold boots. */
#define CALLS_MAX 256u
#define LINES_MAX 1024u
/* What the mold's own interruption may take, before we speak of it. */
#define GRACE_MS 500

struct hook_call {
	struct hook_call *next;
	struct rfk_hook about;
	size_t text; /* LOG: where in the line its head ends */
	char line[]; /* LOG only */
};

static bool
is_line(const struct hook_call *call)
{
	return call->about.name == RFK_HOOK_LOG;
}

static const char *
name_of(const struct rfk_hook *about)
{
	static const char *const names[RFK_HOOK_END] = {
		[RFK_HOOK_AFTER_WORKER_EXIT] = "after_worker_exit",
		[RFK_HOOK_AFTER_MONITOR_READY] = "after_monitor_ready",
		[RFK_HOOK_AFTER_HARD_TIMEOUT] = "after_worker_hard_timeout",
		[RFK_HOOK_LOG] = "the logger",
		[RFK_HOOK_BEFORE_EXEC] = "before_exec",
	};

	return names[about->name];
}

/* "file:line", "" when the file has none. */
static const char *
place_of(const struct pool *p, uint32_t name)
{
	switch (name) {
	case RFK_HOOK_AFTER_WORKER_EXIT:
		return p->settings.hook_after_worker_exit;
	case RFK_HOOK_AFTER_MONITOR_READY:
		return p->settings.hook_after_monitor_ready;
	case RFK_HOOK_AFTER_HARD_TIMEOUT:
		return p->settings.hook_after_hard_timeout;
	default:
		return p->settings.config_file;
	}
}

/* "after_worker_exit (app.rb:3) of pid=42" */
static const char *
describe(
    const struct pool *p, const struct rfk_hook *about, char *out, size_t cap)
{
	int n = snprintf(
	    out, cap, "%s (%s)", name_of(about), place_of(p, about->name));

	if (about->pid != 0 && n > 0 && (size_t)n < cap)
		snprintf(
		    out + n, cap - (size_t)n, " of pid=%d", (int)about->pid);
	return out;
}

static void
append(struct hooks *h, struct hook_call *call)
{
	call->next = NULL;
	*h->last = call;
	h->last = &call->next;
	if (is_line(call))
		h->lines++;
	else
		h->calls++;
}

static struct hook_call *
unlink_at(struct hooks *h, struct hook_call **at)
{
	struct hook_call *call = *at;

	*at = call->next;
	if (h->last == &call->next)
		h->last = at;
	if (is_line(call))
		h->lines--;
	else
		h->calls--;
	return call;
}

static void
queue(struct pool *p, struct rfk_hook *about)
{
	struct hooks *h = &p->hooks;
	struct hook_call *call;
	char text[512];

	if (place_of(p, about->name)[0] == '\0')
		return;
	call = h->calls < CALLS_MAX ? calloc(1, sizeof(*call)) : NULL;
	if (call == NULL) {
		if (h->skipped++ == 0)
			log_warn("%s is skipped: %u callbacks wait for a mold",
			    describe(p, about, text, sizeof(text)), h->calls);
		return;
	}
	call->about = *about;
	append(h, call);
}

static void
worker_call(struct pool *p, const struct child *c, enum rfk_hook_name name)
{
	struct rfk_hook about = { .name = name };

	about.slot = c->slot;
	about.generation = c->generation;
	about.pid = c->process.pid;
	about.code = c->process.exit.code;
	about.status = c->process.exit.status;
	queue(p, &about);
}

void
hooks_worker_exit(struct pool *p, const struct child *c)
{
	worker_call(p, c, RFK_HOOK_AFTER_WORKER_EXIT);
}

bool
hooks_hard_timeout(struct pool *p, const struct child *c)
{
	worker_call(p, c, RFK_HOOK_AFTER_HARD_TIMEOUT);
	return place_of(p, RFK_HOOK_AFTER_HARD_TIMEOUT)[0] != '\0' &&
	       moldlink_usable(p->mold) && !p->mold->hook_is_late;
}

/* pitchfork's counts molds among its children; unicorn has none. */
void
hooks_mold_exit(struct pool *p, const struct moldlink *l)
{
	struct rfk_hook about = { .name = RFK_HOOK_AFTER_WORKER_EXIT };

	if (p->settings.personality != RFK_PITCHFORK || pool_is_stopping(p))
		return;
	about.slot = RFK_HOOK_MOLD;
	about.generation = l->generation;
	about.pid = l->process.pid;
	about.code = l->process.exit.code;
	about.status = l->process.exit.status;
	queue(p, &about);
}

void
hooks_monitor_ready(struct pool *p)
{
	struct rfk_hook about = { .name = RFK_HOOK_AFTER_MONITOR_READY };

	queue(p, &about);
}

int
hooks_before_exec(struct pool *p)
{
	struct hook_call *call;

	if (!moldlink_usable(p->mold) || p->mold->hook_is_late)
		return -EPIPE;
	call = calloc(1, sizeof(*call));
	if (call == NULL)
		return -ENOMEM;
	call->about.name = RFK_HOOK_BEFORE_EXEC;
	append(&p->hooks, call);
	pool_touch(p);
	return 0;
}

static void
line_out(struct hook_call *take)
{
	log_put(take->line);
	free(take);
}

/* A dead mold's line is older than those that wait. */
static void
lines_out(struct pool *p)
{
	struct hooks *h = &p->hooks;
	struct hook_call **at = &h->first;

	if (p->mold != NULL && p->mold->process.dead)
		hooks_lost(p, p->mold);
	while (h->lines > 0)
		if (is_line(*at))
			line_out(unlink_at(h, at));
		else
			at = &(*at)->next;
}

static bool
takes_lines(const struct pool *p)
{
	return p->settings.has_logger && moldlink_usable(p->mold) &&
	       !p->mold->hook_is_late;
}

static bool
sink(enum log_level level, const char *line, const char *text, void *arg)
{
	struct pool *p = arg;
	struct hooks *h = &p->hooks;
	size_t size = strlen(line) + 1;
	struct hook_call *call = NULL;

	if (takes_lines(p) && h->lines < LINES_MAX)
		call = calloc(1, sizeof(*call) + size);
	if (call == NULL) {
		lines_out(p);
		return false;
	}
	memcpy(call->line, line, size);
	call->text = (size_t)(text - line);
	call->about.name = RFK_HOOK_LOG;
	call->about.slot = (uint32_t)level;
	append(h, call);
	return true;
}

static void
on_deadline(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct pool *p = w->data;
	struct moldlink *l = p->mold;
	char text[512];

	(void)loop;
	(void)revents;
	if (l == NULL || l->hook == NULL || l->hook_is_late)
		return;
	l->hook_is_late = true;
	log_error("%s has not returned in %.1fs and cannot be interrupted: "
		  "mold gen=%u pid=%d is stuck in it; callbacks wait, lines go "
		  "to stderr",
	    describe(p, &l->hook->about, text, sizeof(text)),
	    l->hook->about.limit_ms / 1e3, l->generation, (int)l->process.pid);
}

static void
send(struct pool *p, struct moldlink *l)
{
	struct hooks *h = &p->hooks;
	struct hook_call *call = unlink_at(h, &h->first);
	struct ev_loop *loop = p->master->loop;

	call->about.token = master_token(p->master);
	call->about.limit_ms = (uint32_t)settings_hook_ms(&p->settings);
	if (moldlink_hook(l, &call->about,
		is_line(call) ? call->line + call->text : NULL) < 0) {
		/* Its death will follow; a line is not lost with it. */
		if (is_line(call))
			log_put(call->line);
		free(call);
		return;
	}
	l->hook = call;
	ev_timer_stop(loop, &h->deadline);
	ev_timer_set(&h->deadline, (call->about.limit_ms + GRACE_MS) / 1e3, 0.);
	ev_now_update(loop);
	ev_timer_start(loop, &h->deadline);
}

void
hooks_step(struct pool *p)
{
	struct hooks *h = &p->hooks;
	struct moldlink *l = p->mold;

	if (h->lines > 0 && !takes_lines(p))
		lines_out(p);
	/* A worker first: its FORK has a deadline, too. */
	if (h->first == NULL || !moldlink_usable(l) || l->hook != NULL ||
	    l->forking != NULL)
		return;
	send(p, l);
	if (h->skipped > 0 && h->calls < CALLS_MAX / 2) {
		log_warn("%u callbacks were skipped", h->skipped);
		h->skipped = 0;
	}
}

void
hooks_done(struct pool *p, struct moldlink *l, const struct rfk_hook *about)
{
	char text[512];

	if (l->hook == NULL || l->hook->about.token != about->token)
		return;
	if (l->hook_is_late)
		log_info(
		    "%s has returned", describe(p, about, text, sizeof(text)));
	l->hook_is_late = false;
	if (about->name == RFK_HOOK_AFTER_HARD_TIMEOUT)
		overdue_answer(p, about);
	free(l->hook);
	l->hook = NULL;
	if (l == p->mold)
		ev_timer_stop(p->master->loop, &p->hooks.deadline);
}

void
hooks_lost(struct pool *p, struct moldlink *l)
{
	struct hook_call *call = l->hook;
	char text[512];

	l->hook = NULL;
	if (call == NULL)
		return;
	if (is_line(call)) {
		line_out(call);
		return;
	}
	if (call->about.name == RFK_HOOK_BEFORE_EXEC)
		upgrade_answer(p->master, NULL, 0);
	/* Not again in the next one: it may be what has ended this one. */
	log_error("%s did not return: mold gen=%u pid=%d has ended in it",
	    describe(p, &call->about, text, sizeof(text)), l->generation,
	    (int)l->process.pid);
	free(call);
}

bool
hooks_idle(const struct pool *p)
{
	if (!moldlink_usable(p->mold) || p->mold->hook_is_late)
		return true;
	return p->hooks.first == NULL && p->mold->hook == NULL;
}

void
hooks_init(struct pool *p)
{
	p->hooks.last = &p->hooks.first;
	ev_timer_init(&p->hooks.deadline, on_deadline, 1., 0.);
	p->hooks.deadline.data = p;
	if (pool_is_default(p))
		log_sink_set(sink, p);
}

void
hooks_fini(struct pool *p)
{
	struct hooks *h = &p->hooks;

	if (pool_is_default(p))
		log_sink_set(NULL, NULL);
	if (p->mold != NULL)
		hooks_lost(p, p->mold);
	lines_out(p);
	if (h->calls > 0)
		log_warn("%u callbacks are skipped: no mold is left", h->calls);
	while (h->first != NULL)
		free(unlink_at(h, &h->first));
}
