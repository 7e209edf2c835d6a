/*
 * The master's whole: start, what signals and control verbs ask for, the end.
 */
#include "master/master.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/title.h"
#include "ipc/board.h"
#include "master/control.h"
#include "master/handover.h"
#include "master/inquiry.h"
#include "master/leases.h"
#include "master/takeover.h"
#include "master/words.h"

#define IMMEDIATE_STOP_S 2.0

uint64_t
master_token(struct master *m)
{
	return ++m->next_token;
}

void
master_title(struct master *m)
{
	static const char *const phases[] = { "booting", "serving", "draining",
		"stopping" };

	char arguments[1024];

	switch (m->pool.settings.personality) {
	case RFK_UNICORN:
		title_set("unicorn master %s%s",
		    m->upgrade.pid != 0 ? "(old) " : "",
		    options_text(m->options, arguments, sizeof(arguments)));
		break;
	case RFK_PITCHFORK: /* its options are not in ARGV any more */
		title_set("pitchfork monitor - %s",
		    m->phase > MASTER_SERVING    ? "shutting down"
		    : m->options->rackup != NULL ? m->options->rackup
						 : "");
		break;
	default:
		title_set("reforkd master gen %u: %s, %u workers",
		    m->pool.generation, phases[m->phase], m->pool.wanted);
	}
}

static void
on_before_sleep(struct ev_loop *loop, ev_prepare *w, int revents)
{
	struct master *m = w->data;

	(void)loop;
	(void)revents;
	pools_reconcile(m);
	strangers_step(m);
	restart_step(m);
	notify_step(m);
}

static void
on_stop_limit(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct master *m = w->data;

	(void)loop;
	(void)revents;
	log_warn("the limit of the stop has passed: killing what is left");
	m->phase = MASTER_KILLING;
	pools_kill(m, "the limit of the stop");
	/* Whatever is then left is beyond signals. */
	if (w->repeat > 0.)
		ev_break(m->loop, EVBREAK_ALL);
	w->repeat = IMMEDIATE_STOP_S;
	ev_timer_again(m->loop, w);
}

void
master_stop(struct master *m, bool graceful, const char *why)
{
	struct pool *p = NULL;
	int64_t drain_ms = 0;

	if (m->phase == MASTER_KILLING ||
	    (m->phase == MASTER_STOPPING && graceful))
		return;
	words_master_stopping(m, graceful, why);
	/* Before any mold served there is nothing to drain. */
	if (m->phase == MASTER_BOOTING)
		graceful = false;
	m->phase = graceful ? MASTER_STOPPING : MASTER_KILLING;
	while ((p = pools_next(m, p)) != NULL)
		if (settings_drain_ms(&p->settings) > drain_ms)
			drain_ms = settings_drain_ms(&p->settings);
	m->board->shutting_down = 1;
	if (m->upgrade.pid != 0)
		notify_main_pid(m, m->upgrade.pid);
	ev_timer_stop(m->loop, &m->watchdog);
	if (graceful)
		watchdog_start(
		    m); /* units keep their timeouts while draining */
	ev_timer_stop(m->loop, &m->stop_limit);
	ev_timer_set(&m->stop_limit,
	    graceful ? (double)drain_ms / 1e3 + 1. : IMMEDIATE_STOP_S, 0.);
	ev_now_update(m->loop);
	ev_timer_start(m->loop, &m->stop_limit);
	master_title(m);
	pools_stop(m, graceful);
}

void
master_reload(struct master *m, const char *why)
{
	log_info("%s received, reloading config_file=%s", why,
	    m->pool.settings.config_file);
	notify_reload(m);
	pool_scale(&m->pool, m->pool.wanted, NULL);
	succession_start(&m->pool, SUCCESSION_RELOAD, true, UINT32_MAX, why);
}

void
master_reopen(struct master *m)
{
	struct fail why = FAIL_INIT;
	struct pool *p = NULL;

	log_info("master reopening logs...");
	if (master_redirect(&m->pool.settings, true, &why) < 0)
		log_error("%s", why.text);
	while ((p = pools_next(m, p)) != NULL)
		pool_reopen(p);
	strangers_reopen(m);
	log_info("master done reopening logs");
}

void
master_fail(struct master *m, int status)
{
	m->exit_status = status;
	m->phase = MASTER_KILLING;
	ev_break(m->loop, EVBREAK_ALL);
}

void
master_says_ready(struct master *m)
{
	char text[32];
	int n;

	words_master_ready(m);
	master_title(m);
	if (m->ready_fd < 0)
		return;
	n = snprintf(text, sizeof(text), "%d", (int)getpid());
	fd_write_all(m->ready_fd, text, (size_t)n);
	fd_close(&m->ready_fd);
}

static struct rfk_board *
board(struct master *m, const struct handover *h)
{
	/* Another version's has other rows. */
	if (h == NULL || h->is_other)
		return board_make(&m->board_fd);
	m->board_fd = (int)h->board_fd;
	(void)fd_cloexec(m->board_fd, true);
	return board_map(m->board_fd);
}

static int
init(struct master *m, const struct options *o, const struct handover *h)
{
	memset(m, 0, sizeof(*m));
	m->options = o;
	m->exit_status = 0;
	m->started_ms = clock_ms();
	m->cwd = getcwd(NULL, 0);
	m->ready_fd = o->ready_fd;
	/* That both are there kernel_check has asked. */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0) {
		log_fatal("prctl(PR_SET_CHILD_SUBREAPER): %s", strerror(errno));
		return -errno;
	}
	m->board = board(m, h);
	if (m->board == NULL) {
		log_fatal("memfd for the scoreboard: %s", strerror(errno));
		return -errno;
	}
	m->board->master_pid = getpid();
	if (h == NULL)
		oom_init(&m->oom);
	m->loop = ev_loop_new(EVFLAG_AUTO);
	m->pools[0] = &m->pool;
	if (m->loop == NULL || pool_init(&m->pool, m, 0, "default") < 0) {
		log_fatal("no memory for the master");
		return -ENOMEM;
	}
	ev_prepare_init(&m->before_sleep, on_before_sleep);
	m->before_sleep.data = m;
	ev_prepare_start(m->loop, &m->before_sleep);
	ev_timer_init(&m->stop_limit, on_stop_limit, 1., 0.);
	m->stop_limit.data = m;
	upgrade_init(m);
	restart_init(m);
	notify_init(m, !o->check);
	return 0;
}

static void
fini(struct master *m)
{
	control_close(m->control);
	leases_close(m->leases);
	inquiry_close(m);
	strangers_close(m);
	pidfile_remove(m->pid_file);
	pools_close(m);
	listeners_close(&m->inherited);
	free(m->cwd);
	ev_loop_destroy(m->loop);
}

/* A first mold, or those of the program that this process was. */
static int
begin(struct master *m, const struct handover *h, struct fail *why)
{
	if (h != NULL)
		return takeover_run(m, h, why);
	if (!m->options->check && inherit_listeners(m, why) < 0)
		return -EINVAL;
	m->pool.mold = moldlink_boot(&m->pool, 0, why);
	return m->pool.mold != NULL ? 0 : -ECHILD;
}

static int
run(struct master *m, const struct options *o, const struct handover *h)
{
	struct fail why = FAIL_INIT;
	int rc;

	if (init(m, o, h) < 0)
		return 1;
	rc = signals_start(m);
	if (rc == 0) {
		master_title(m);
		rc = begin(m, h, &why);
		if (rc < 0)
			log_fatal("%s", why.text);
	}
	if (rc == 0) {
		ev_run(m->loop, 0);
		if (!o->check)
			words_master_complete(m);
	}
	fini(m);
	return rc < 0 ? 1 : m->exit_status;
}

int
master_run(const struct options *o)
{
	static struct master m; /* one a process; too large for the stack */
	struct fail why = FAIL_INIT;
	struct handover *h = NULL;
	int fd = o->state_fd, status;

	fault_init();
	if (fault_fails("getinfo"))
		pidfd_getinfo_off();
	if (o->debug)
		log_level_set(LOG_LV_DEBUG);
	if (fd >= 0) {
		h = takeover_read(fd, &why);
		fd_close(&fd);
		if (h == NULL) {
			fprintf(stderr, "%s: %s\n", o->program, why.text);
			return 1;
		}
	}
	/* Asked only: it has read the state, and evaluates the file as -t. */
	status = run(&m, o, o->check ? NULL : h);
	handover_free(h);
	return status;
}
