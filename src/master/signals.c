/*
 * Signals to the master become the calls that the control socket makes too.
 * ev_signal works in a loop of one's own; ev_child is not wanted (DESIGN 2).
 */
#include <signal.h>
#include <sys/wait.h>

#include "base/log.h"
#include "master/master.h"

static const int numbers[] = { SIGTERM, SIGQUIT, SIGINT, SIGHUP, SIGUSR1,
	SIGUSR2, SIGURG, SIGTTIN, SIGTTOU, SIGWINCH, SIGCHLD };

static struct process *
by_pid(struct master *m, pid_t pid)
{
	struct child *c = pool_by_pid(&m->pool, pid);
	struct moldlink *l = pool_mold_by_pid(&m->pool, pid);

	if (c != NULL)
		return &c->process;
	return l != NULL ? &l->process : NULL;
}

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
		p = by_pid(m, si.si_pid);
		if (p != NULL) {
			process_look(p);
			if (by_pid(m, si.si_pid) != NULL)
				return; /* its pidfd will say it */
			continue;
		}
		if (waitid(P_PID, (id_t)si.si_pid, &si, WEXITED | WNOHANG) == 0)
			log_debug(
			    "reaped unknown subprocess pid=%d", (int)si.si_pid);
	}
}

static void
on_child(struct master *m)
{
	/* SPAWNED may lie in a channel: read it before its zombie is judged. */
	pool_drain_molds(&m->pool);
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

static void
on_signal(struct ev_loop *loop, ev_signal *w, int revents)
{
	struct master *m = w->data;
	bool unicorn = m->pool.settings.personality == RFK_UNICORN;

	(void)loop;
	(void)revents;
	switch (w->signum) {
	case SIGCHLD:
		on_child(m);
		break;
	case SIGQUIT:
		master_stop(m, true, "SIGQUIT");
		break;
	case SIGTERM:
		master_stop(m, !unicorn, "SIGTERM");
		break;
	case SIGINT:
		master_stop(m, false, "SIGINT");
		break;
	case SIGHUP:
		master_reload(m, "SIGHUP");
		break;
	case SIGUSR1:
		master_reopen(m);
		break;
	case SIGUSR2:
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
		log_info("gracefully stopping all workers");
		pool_scale(&m->pool, 0, "SIGWINCH");
		break;
	default:
		break;
	}
}

void
signals_start(struct master *m)
{
	size_t i;

	signal(SIGPIPE, SIG_IGN);
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		ev_signal_init(&m->signals[i], on_signal, numbers[i]);
		m->signals[i].data = m;
		ev_signal_start(m->loop, &m->signals[i]);
	}
}

void
signals_default(void)
{
	sigset_t none;
	size_t i;

	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		signal(numbers[i], SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}
