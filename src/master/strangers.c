#include "master/strangers.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/pidfd.h"
#include "master/handover.h"
#include "master/master.h"
#include "master/service.h"

/* Beyond its own limit, as child.c has it. */
#define GRACE_MS 1000

struct stranger {
	struct master *master;
	char pool[sizeof(((struct handover_pool *)0)->name)];
	pid_t pid;
	int pidfd; /* -1 = it has ended */
	int chan;
	bool is_mold, was_told, was_killed;
	int64_t drain_ms;
	ev_io pidfd_io, chan_io;
	ev_timer limit;
};

/* --- their end --------------------------------------------------------- */

static void
let_go(struct stranger *s)
{
	struct ev_loop *loop = s->master->loop;

	ev_io_stop(loop, &s->pidfd_io);
	ev_io_stop(loop, &s->chan_io);
	ev_timer_stop(loop, &s->limit);
	fd_close(&s->pidfd);
	fd_close(&s->chan);
	s->master->strangers.left--;
}

/* True: it was our child, and is reaped. */
static bool
gone(struct stranger *s)
{
	struct master *m = s->master;
	struct pidfd_exit e = { 0 };
	bool reaped;
	char how[96];

	/* A stop that ended all of them is heard before they are mourned. */
	signals_stops_first(m);
	reaped = pidfd_status(s->pidfd, &e) > 0;
	log_info("%s pid=%d of the program before has ended (%s)",
	    s->is_mold ? "mold" : "worker", (int)s->pid,
	    pidfd_exit_text(&e, how, sizeof(how)));
	let_go(s);
	if (m->strangers.left == 0) {
		log_info("nobody of the program before is left");
		if (m->is_ready)
			inherit_over(m);
	}
	return reaped;
}

static void
on_pidfd(struct ev_loop *loop, ev_io *w, int revents)
{
	(void)loop;
	(void)revents;
	(void)gone(w->data);
}

/* Read without room for descriptors: the kernel closes those that come. */
static void
on_chan(struct ev_loop *loop, ev_io *w, int revents)
{
	struct stranger *s = w->data;
	char bytes[64];
	ssize_t n;

	(void)revents;
	do
		n = read(s->chan, bytes, sizeof(bytes));
	while (n > 0 || (n < 0 && errno == EINTR));
	if (n == 0 || errno != EAGAIN)
		ev_io_stop(loop, w); /* its pidfd tells the rest */
}

static void
finish(struct stranger *s, const char *why)
{
	if (s->was_killed)
		return;
	s->was_killed = true;
	log_warn("%s pid=%d of the program before killing: %s",
	    s->is_mold ? "mold" : "worker", (int)s->pid, why);
	(void)pidfd_signal(s->pidfd, SIGKILL);
}

static void
on_limit(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	finish(w->data, "it was told to end, and is still there");
}

static void
tell(struct stranger *s)
{
	struct ev_loop *loop = s->master->loop;

	s->was_told = true;
	(void)pidfd_signal(s->pidfd, s->is_mold ? SIGTERM : SIGQUIT);
	ev_timer_set(&s->limit, (double)(s->drain_ms + GRACE_MS) / 1e3, 0.);
	ev_now_update(loop);
	ev_timer_start(loop, &s->limit);
}

/* --- when -------------------------------------------------------------- */

/* Its pool has its new workers, or the file has no such pool any more. */
static bool
is_replaced(const struct stranger *s)
{
	const struct master *m = s->master;
	const struct pool *p = pools_find(m, s->pool);

	return m->pool.serving && (p == NULL || p->serving || service_is(p));
}

static void
say_replaced(struct master *m)
{
	char text[200];

	if (m->strangers.replaced || !m->pool.serving)
		return;
	m->strangers.replaced = true;
	snprintf(text, sizeof(text),
	    "restart to another protocol done (%s): %u workers serve, those of "
	    "the program before drain",
	    m->restart.who, m->pool.wanted);
	log_info("%s", text);
	outcome_tell(&m->pool, 0, text);
}

void
strangers_step(struct master *m)
{
	struct stranger *s = m->strangers.at;
	size_t i;

	if (m->strangers.n > 0 && m->phase == MASTER_SERVING)
		say_replaced(m);
	for (i = 0; m->strangers.left > 0 && i < m->strangers.n; i++, s++) {
		if (s->pidfd < 0)
			continue;
		if (m->phase == MASTER_KILLING)
			finish(s, "an immediate stop, or the limit of a stop");
		else if (!s->was_told &&
			 (m->phase == MASTER_STOPPING || is_replaced(s)))
			tell(s);
	}
}

void
strangers_no_boot(struct master *m, const char *cause)
{
	char text[700];

	if (m->strangers.n == 0)
		return;
	snprintf(text, sizeof(text),
	    "restart to another protocol (%s): the first mold of this program "
	    "failed to boot: %.400s; it is tried again, %zu processes of the "
	    "program before go on",
	    m->restart.who, cause, m->strangers.left);
	log_error("%s", text);
	outcome_tell(&m->pool, -ECHILD, text);
}

void
strangers_reopen(struct master *m)
{
	struct stranger *s = m->strangers.at;
	size_t i;

	for (i = 0; i < m->strangers.n; i++, s++)
		if (s->pidfd >= 0 && !s->is_mold)
			(void)pidfd_signal(s->pidfd, SIGUSR1);
}

bool
strangers_look(struct master *m, pid_t pid)
{
	struct stranger *s = m->strangers.at;
	size_t i;

	for (i = 0; i < m->strangers.n; i++, s++)
		if (s->pidfd >= 0 && s->pid == pid)
			return gone(s);
	return false;
}

pid_t
strangers_first(const struct master *m)
{
	size_t i;

	for (i = 0; i < m->strangers.n; i++)
		if (m->strangers.at[i].pidfd >= 0)
			return m->strangers.at[i].pid;
	return 0;
}

/* --- the beginning, and the end of the master -------------------------- */

static void
take_one(struct master *m, const struct handover_pool *p,
    const struct handover_process *from)
{
	struct stranger *s = &m->strangers.at[m->strangers.n++];

	m->strangers.left++;
	s->master = m;
	snprintf(s->pool, sizeof(s->pool), "%s", p->name);
	s->pid = (pid_t)from->pid;
	s->pidfd = (int)from->pidfd;
	s->chan = (int)from->chan;
	s->is_mold = from->slot < 0;
	s->drain_ms = p->drain_ms > 0 ? p->drain_ms
				      : settings_drain_ms(&m->pool.settings);
	(void)fd_cloexec(s->pidfd, true);
	ev_io_init(&s->pidfd_io, on_pidfd, s->pidfd, EV_READ);
	ev_io_init(&s->chan_io, on_chan, s->chan, EV_READ);
	ev_timer_init(&s->limit, on_limit, 1., 0.);
	s->pidfd_io.data = s->chan_io.data = s->limit.data = s;
	ev_io_start(m->loop, &s->pidfd_io);
	if (s->chan < 0 || fd_cloexec(s->chan, true) < 0 ||
	    fd_nonblock(s->chan, true) < 0)
		return;
	ev_io_start(m->loop, &s->chan_io);
}

static void
drop(int64_t number)
{
	int fd = (int)number;

	fd_close(&fd);
}

int
strangers_take(struct master *m, const struct handover *h)
{
	const struct handover_pool *p;
	size_t i, n = 0;

	for (p = h->pool; p < h->pool + h->pools; p++)
		n += p->processes;
	m->strangers.at = calloc(n + 1, sizeof(*m->strangers.at));
	if (m->strangers.at == NULL)
		return -ENOMEM;
	drop(h->board_fd);
	for (p = h->pool; p < h->pool + h->pools; p++) {
		drop(p->state_fd);
		for (i = 0; i < p->processes; i++)
			if (p->process[i].pidfd >= 0)
				take_one(m, p, &p->process[i]);
	}
	return 0;
}

void
strangers_close(struct master *m)
{
	size_t i;

	for (i = 0; i < m->strangers.n; i++)
		if (m->strangers.at[i].pidfd >= 0)
			let_go(&m->strangers.at[i]);
	free(m->strangers.at);
	m->strangers = (struct strangers){ 0 };
}
