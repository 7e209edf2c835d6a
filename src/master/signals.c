/*
 * Signals to the master become the calls that the control socket makes too.
 *
 * They are blocked and read from two signalfds, because a stop must be heard
 * before the deaths it brings: Ctrl-C in a terminal reaches the whole process
 * group. The kernel has sent it to all of them before the first one's pidfd
 * says that it has ended, but not before the loop has asked for events.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "master/master.h"

static const int stops[] = { SIGTERM, SIGQUIT, SIGINT };
static const int others[] = { SIGHUP, SIGUSR1, SIGUSR2, SIGURG, SIGTTIN,
	SIGTTOU, SIGWINCH, SIGCHLD };

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* Zombies that are not ours by name: daemons of the application, re-parented.
 */
static void
reap_strays(struct master *m)
{
	struct process *p;
	siginfo_t si;

	for (;;) {
		si.si_pid = 0;
		if (waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT) < 0 ||
		    si.si_pid == 0)
			return;
		p = pools_process(m, si.si_pid);
		if (p != NULL) {
			process_look(p);
			if (pools_process(m, si.si_pid) != NULL)
				return; /* its pidfd will say it */
			continue;
		}
		if (upgrade_look(m, si.si_pid) || restart_look(m, si.si_pid) ||
		    strangers_look(m, si.si_pid))
			continue;
		if (waitid(P_PID, (id_t)si.si_pid, &si, WEXITED | WNOHANG) == 0)
			log_debug(
			    "reaped unknown subprocess pid=%d", (int)si.si_pid);
	}
}

static void
on_child(struct master *m)
{
	struct pool *p = NULL;

	/* SPAWNED may lie in a channel: read it before its zombie is judged. */
	while ((p = pools_next(m, p)) != NULL)
		pool_drain_molds(p);
	reap_strays(m);
}

static void
scale(struct master *m, int by)
{
	uint32_t now = m->pool.wanted;

	if (by < 0 && now == 0)
		return;
	pool_scale(&m->pool, by < 0 ? now - 1 : now + 1,
	    by < 0 ? "SIGTTOU" : "SIGTTIN");
}

static void
refork(struct master *m, const char *name)
{
	succession_start(&m->pool, SUCCESSION_REFORK, true, UINT32_MAX, name);
}

/* A terminal sends it when its window changes. */
static void
stop_workers(struct master *m)
{
	if (isatty(STDIN_FILENO)) {
		log_info("SIGWINCH ignored because we're not daemonized");
		return;
	}
	log_info("gracefully stopping all workers");
	pool_scale(&m->pool, 0, "SIGWINCH");
}

static void
stop_with(struct master *m, int signo)
{
	bool unicorn = m->pool.settings.personality == RFK_UNICORN;

	if (signo == SIGQUIT)
		master_stop(m, true, "SIGQUIT");
	else if (signo == SIGTERM)
		master_stop(m, !unicorn || m->pool.term_is_trapped, "SIGTERM");
	else
		master_stop(m, false, "SIGINT");
}

static void
act_on(struct master *m, int signo)
{
	switch (signo) {
	case SIGCHLD:
		on_child(m);
		break;
	case SIGHUP:
		master_reload(m, "SIGHUP");
		break;
	case SIGUSR1:
		master_reopen(m);
		break;
	case SIGUSR2:
		if (m->pool.settings.personality == RFK_UNICORN)
			upgrade_start(m);
		else
			refork(m, "SIGUSR2");
		break;
	case SIGURG:
		refork(m, "SIGURG");
		break;
	case SIGTTIN:
		scale(m, 1);
		break;
	case SIGTTOU:
		scale(m, -1);
		break;
	case SIGWINCH:
		stop_workers(m);
		break;
	default:
		break;
	}
}

/* What is pending, once: a flood of signals must not hold up the loop. */
static void
drain(struct master *m, int fd, void (*on)(struct master *, int signo))
{
	struct signalfd_siginfo si[COUNT(others)];
	ssize_t n = read(fd, si, sizeof(si));
	ssize_t i;

	for (i = 0; i < n / (ssize_t)sizeof(si[0]); i++)
		on(m, (int)si[i].ssi_signo);
}

void
signals_stops_first(struct master *m)
{
	drain(m, m->stop_io.fd, stop_with);
}

static void
on_stop(struct ev_loop *loop, ev_io *w, int revents)
{
	(void)loop;
	(void)revents;
	signals_stops_first(w->data);
}

static void
on_other(struct ev_loop *loop, ev_io *w, int revents)
{
	(void)loop;
	(void)revents;
	drain(w->data, w->fd, act_on);
}

/* Handlers and SIG_IGN may be inherited; what is blocked is kept all the same,
 * except that an ignored SIGCHLD has no zombies. */
static int
watch(struct master *m, ev_io *io, void (*on)(struct ev_loop *, ev_io *, int),
    const int *list, size_t n)
{
	sigset_t set;
	size_t i;
	int fd;

	sigemptyset(&set);
	for (i = 0; i < n; i++) {
		sigaddset(&set, list[i]);
		signal(list[i], SIG_DFL);
	}
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	ev_io_init(io, on, fd, EV_READ);
	io->data = m;
	ev_io_start(m->loop, io);
	return 0;
}

int
signals_start(struct master *m)
{
	int rc;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a log at its limit is no reason to end */
	rc = watch(m, &m->stop_io, on_stop, stops, COUNT(stops));
	if (rc == 0)
		rc = watch(m, &m->signal_io, on_other, others, COUNT(others));
	if (rc < 0)
		log_fatal("signalfd: %s", strerror(-rc));
	return rc;
}

void
signals_default(void)
{
	sigset_t none;

	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}
