/*
 * Who is past a deadline? The master needs no tick: it sleeps until the
 * earlier of the nearest deadline seen and now + the shortest timeout (a unit
 * that starts after the scan cannot expire before the next one).
 */
#include "base/clock.h"
#include "base/log.h"
#include "ipc/board.h"
#include "master/master.h"
#include "master/overdue.h"

/* A wake-up this late means that the master itself was stopped, not they. */
#define LATE_MS 1000u
/* An idle worker beats once a second; between units hooks may take a timeout.
 */
#define BEAT_SLACK_MS 2000u

/* Looks at one worker; returns its own next deadline, or UINT64_MAX. */
static uint64_t
look(struct child *c, uint64_t now, uint64_t timeout)
{
	struct board_view v;
	uint64_t due;

	if (!child_serves(c) && c->state != LIFE_DRAINING)
		return UINT64_MAX;
	if (c->ready_ms == 0)
		return UINT64_MAX; /* BOOTING's own timer, or told to quit */
	child_row(c, &v);
	if (v.pid != c->process.pid)
		return UINT64_MAX;
	if (v.work == RFK_WORK_BUSY && v.deadline_ms == 0)
		return UINT64_MAX; /* a session: as long as it likes */
	if (v.work == RFK_WORK_BUSY) {
		if (now < v.deadline_ms)
			return v.deadline_ms;
		overdue_unit(c, &v, now);
		return UINT64_MAX;
	}
	due = v.beat_ms + timeout + BEAT_SLACK_MS;
	if (now < due)
		return due;
	overdue_silent(c, &v, now);
	return UINT64_MAX;
}

/* The nearest deadline of a pool; one that has just begun is not seen yet. */
static uint64_t
look_all(struct pool *p, uint64_t now, bool is_grace)
{
	uint64_t timeout = (uint64_t)p->settings.timeout;
	uint64_t next = now + timeout;
	uint64_t due;
	uint32_t i;

	for (i = 0; !is_grace && i < 2 * p->slots; i++) {
		due = look(&p->children[i], now, timeout);
		if (due < next)
			next = due;
	}
	return next;
}

static void
on_watchdog(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct master *m = w->data;
	uint64_t now = clock_ms();
	uint64_t next = UINT64_MAX, due;
	struct pool *p = NULL;

	(void)revents;
	if (now > m->watchdog_due_ms + LATE_MS) {
		log_debug("woke %llu ms late: nobody is stale this turn",
		    (unsigned long long)(now - m->watchdog_due_ms));
		m->grace_until_ms = now + LATE_MS;
	}
	if (now < m->grace_until_ms)
		next = m->grace_until_ms;
	while ((p = pools_next(m, p)) != NULL) {
		due = look_all(p, now, now < m->grace_until_ms);
		if (due < next)
			next = due;
	}
	m->watchdog_due_ms = next;
	w->repeat = 0.;
	ev_timer_stop(loop, w);
	/* libev's timers end up to a millisecond early: one more. */
	ev_timer_set(w, (double)(next - now + 1) / 1e3, 0.);
	ev_timer_start(loop, w);
}

void
watchdog_start(struct master *m)
{
	ev_timer_stop(m->loop, &m->watchdog);
	ev_timer_init(&m->watchdog, on_watchdog, 0.001, 0.);
	m->watchdog.data = m;
	m->watchdog_due_ms = clock_ms() + 1;
	ev_timer_start(m->loop, &m->watchdog);
}
