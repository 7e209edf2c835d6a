#include "master/restart.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/pidfd.h"
#include "master/control.h"
#include "master/handover.h"
#include "master/master.h"
#include "master/parting.h"

/* A promotion, a boot or a drain of listeners ends sooner than that. */
#define QUIET_S 60.0
#define ARGS_MAX 512

bool
restart_under_way(const struct master *m)
{
	return m->restart.stage != RESTART_NONE;
}

/* --- the end ----------------------------------------------------------- */

static void
check_over(struct master *m)
{
	struct restarting *r = &m->restart;

	ev_io_stop(m->loop, &r->io);
	ev_io_stop(m->loop, &r->ear_io);
	ev_timer_stop(m->loop, &r->limit);
	fd_close(&r->pidfd);
	fd_close(&r->ear);
	r->pid = 0;
}

static void
failed(struct master *m, const char *why)
{
	struct restarting *r = &m->restart;
	struct control_client *client = r->client;
	char text[800];

	snprintf(
	    text, sizeof(text), "no restart: %.600s; this master goes on", why);
	log_error("%s", text);
	check_over(m);
	r->stage = RESTART_NONE;
	r->client = NULL;
	if (client != NULL)
		control_end(client, 1, text);
}

void
restart_cancel(struct master *m, const char *why)
{
	struct restarting *r = &m->restart;

	if (r->stage == RESTART_NONE)
		return;
	if (r->pid != 0) {
		/* It has not been reaped: nobody else can have its number. */
		kill(r->pid, SIGKILL);
		(void)pidfd_reap(r->pidfd);
	}
	failed(m, why);
}

void
restart_forget(struct master *m, const struct control_client *client)
{
	if (m->restart.client == client)
		m->restart.client = NULL;
}

/* --- the program, once to ask and once to be ---------------------------- */

/* "PROGRAM --take-state 12 ARGS": refused by a program that knows no such. */
static void
execute(const struct options *o, const char *option, int fd)
{
	const char *argv[ARGS_MAX + 4];
	char number[16];
	size_t i;

	snprintf(number, sizeof(number), "%d", fd);
	argv[0] = o->arg0;
	argv[1] = option;
	argv[2] = number;
	for (i = 0; i < ARGS_MAX && o->args[i] != NULL; i++)
		argv[i + 3] = o->args[i];
	argv[i + 3] = NULL;
	execv(o->arg0, (char *const *)(uintptr_t)argv);
}

static void
become_check(struct master *m, int fd, int ear, pid_t master)
{
	const struct options *o = m->options;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != master || null < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(null, STDOUT_FILENO) < 0 || dup2(ear, STDERR_FILENO) < 0)
		_exit(126);
	signals_default();
	if (chdir(o->cwd) < 0)
		fprintf(
		    stderr, "cannot enter %s: %s\n", o->cwd, strerror(errno));
	fd_cloexec(fd, false);
	execute(o, "--check-state", fd);
	fprintf(stderr, "cannot execute %s: %s\n", o->arg0, strerror(errno));
	_exit(127);
}

/* From here on there is no way back, unless it returns. -errno. */
static int
become(struct master *m, const struct handover *h, int fd)
{
	const struct options *o = m->options;
	int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int rc;

	log_info("executing %s in place (in %s)", o->arg0, o->cwd);
	if (chdir(o->cwd) < 0)
		log_error("cannot enter %s: %s", o->cwd, strerror(errno));
	notify_put_back(m);
	parting_inherit(h, true);
	fd_cloexec(fd, false);
	execute(o, "--take-state", fd);
	rc = -errno;
	parting_inherit(h, false);
	notify_take_out();
	if (here >= 0 && fchdir(here) < 0)
		log_error("cannot go back: %s", strerror(errno));
	fd_close(&here);
	return rc;
}

/* --- what the check says ------------------------------------------------ */

/* Keeps the end of it. */
static void
hear(struct master *m)
{
	struct restarting *r = &m->restart;
	size_t half = sizeof(r->said) / 2;
	char bytes[512];
	ssize_t n = -1;

	while (r->ear >= 0 && (n = read(r->ear, bytes, sizeof(bytes))) > 0) {
		if (r->said_len + (size_t)n >= sizeof(r->said)) {
			memmove(r->said, r->said + half, r->said_len - half);
			r->said_len -= half;
		}
		memcpy(r->said + r->said_len, bytes, (size_t)n);
		r->said_len += (size_t)n;
	}
	r->said[r->said_len] = '\0';
	if (n == 0)
		ev_io_stop(m->loop, &r->ear_io);
}

/* Its last line that says something: what it leaves for. */
static const char *
last_words(struct restarting *r)
{
	char *line;

	while (r->said_len > 0 && r->said[r->said_len - 1] == '\n')
		r->said[--r->said_len] = '\0';
	line = strrchr(r->said, '\n');
	return line != NULL ? line + 1 : r->said;
}

static void
checked(struct master *m)
{
	struct restarting *r = &m->restart;
	struct pidfd_exit e = { 0 };
	char how[96], why[700];
	const char *words;

	if (pidfd_status(r->pidfd, &e) == 0)
		return;
	hear(m);
	r->pid = 0;
	if (!pidfd_ok(&e)) {
		words = last_words(r);
		snprintf(why, sizeof(why),
		    "the program %s says no (%s)%s%.400s", m->options->arg0,
		    pidfd_exit_text(&e, how, sizeof(how)),
		    words[0] != '\0' ? ": " : "", words);
		failed(m, why);
		return;
	}
	check_over(m);
	r->stage = RESTART_WAITING;
	ev_timer_set(&r->limit, QUIET_S, 0.);
	ev_now_update(m->loop);
	ev_timer_start(m->loop, &r->limit);
}

static void
on_check(struct ev_loop *loop, ev_io *w, int revents)
{
	(void)loop;
	(void)revents;
	checked(w->data);
}

static void
on_ear(struct ev_loop *loop, ev_io *w, int revents)
{
	(void)loop;
	(void)revents;
	hear(w->data);
}

bool
restart_look(struct master *m, pid_t pid)
{
	if (m->restart.pid == 0 || m->restart.pid != pid)
		return false;
	checked(m);
	return true;
}

static void
on_limit(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct master *m = w->data;
	char what[160] = "", why[300];

	(void)loop;
	(void)revents;
	if (m->restart.stage == RESTART_CHECKING) {
		snprintf(why, sizeof(why),
		    "the program %.150s has not said within boot_timeout "
		    "whether it can go on from here",
		    m->options->arg0);
	} else {
		(void)parting_is_quiet(m, what, sizeof(what));
		snprintf(why, sizeof(why),
		    "for %.0f s something was half done: %s", QUIET_S, what);
	}
	restart_cancel(m, why);
}

/* --- begin, and go ------------------------------------------------------ */

static int
refuse(struct master *m, struct fail *why)
{
	if (restart_under_way(m))
		return fail_set(why, EALREADY, "another restart is under way");
	if (m->phase != MASTER_SERVING)
		return fail_set(
		    why, ESHUTDOWN, "the master does not serve now");
	if (m->strangers.left > 0)
		return fail_set(why, EBUSY,
		    "processes of the program before are still there (pid %d): "
		    "when the application does not boot, mend it and reload",
		    (int)strangers_first(m));
	if (m->leases != NULL)
		return fail_set(why, EOPNOTSUPP,
		    "a pool is for lease, and sessions cannot be handed over: "
		    "reload it instead");
	if (upgrade_under_way(m) || m->parent_pidfd >= 0)
		return fail_set(why, EBUSY,
		    "two masters serve the same sockets (an upgrade): end one "
		    "of them first");
	return 0;
}

static int
ask(struct master *m, int fd, struct fail *why)
{
	struct restarting *r = &m->restart;
	int pair[2];
	pid_t master = getpid();

	if (pipe2(pair, O_CLOEXEC | O_NONBLOCK) < 0)
		return fail_set(why, errno, "a pipe: %s", strerror(errno));
	r->pid = fork();
	if (r->pid == 0)
		become_check(m, fd, pair[1], master);
	fd_close(&pair[1]);
	r->ear = pair[0];
	r->pidfd = r->pid < 0 ? -errno : pidfd_open_pid(r->pid);
	if (r->pidfd < 0) {
		fail_set(why, -r->pidfd, "cannot ask the program: %s",
		    strerror(-r->pidfd));
		if (r->pid > 0)
			kill(r->pid, SIGKILL);
		r->pid = 0;
		r->pidfd = -1;
		fd_close(&r->ear);
		return -EAGAIN;
	}
	return 0;
}

int
restart_start(struct master *m, struct control_client *client, const char *who,
    struct fail *why)
{
	struct restarting *r = &m->restart;
	struct handover *h;
	int fd, rc = refuse(m, why);

	if (rc < 0)
		return rc;
	snprintf(r->who, sizeof(r->who), "restart, %s", who);
	h = parting_state(m);
	fd = h != NULL ? parting_write(h) : -ENOMEM;
	handover_free(h);
	if (fd < 0)
		return fail_set(why, -fd, "the state: %s", strerror(-fd));
	r->said_len = 0;
	rc = ask(m, fd, why);
	fd_close(&fd);
	if (rc < 0)
		return rc;
	log_info("%s: asking %s", r->who, m->options->arg0);
	notify_reload(m);
	r->client = client;
	r->stage = RESTART_CHECKING;
	ev_io_set(&r->io, r->pidfd, EV_READ);
	ev_io_set(&r->ear_io, r->ear, EV_READ);
	ev_io_start(m->loop, &r->io);
	ev_io_start(m->loop, &r->ear_io);
	ev_timer_set(
	    &r->limit, (double)m->pool.settings.boot_timeout / 1e3, 0.);
	ev_now_update(m->loop);
	ev_timer_start(m->loop, &r->limit);
	return 0;
}

static void
go(struct master *m)
{
	struct handover *h = parting_state(m);
	int fd = h != NULL ? parting_write(h) : -ENOMEM;
	int rc = fd < 0 ? fd : become(m, h, fd);
	char why[300];

	handover_free(h);
	fd_close(&fd);
	snprintf(why, sizeof(why), "cannot execute %.150s: %s",
	    m->options->arg0, strerror(-rc));
	failed(m, why);
}

void
restart_step(struct master *m)
{
	char what[160];

	if (m->restart.stage == RESTART_NONE)
		return;
	if (m->phase != MASTER_SERVING)
		restart_cancel(m, "the master is stopping");
	else if (upgrade_under_way(m))
		restart_cancel(m, "an upgrade has begun");
	else if (m->restart.stage == RESTART_WAITING &&
		 parting_is_quiet(m, what, sizeof(what)))
		go(m);
}

void
restart_init(struct master *m)
{
	struct restarting *r = &m->restart;

	r->pidfd = r->ear = -1;
	ev_init(&r->io, on_check);
	ev_init(&r->ear_io, on_ear);
	ev_init(&r->limit, on_limit);
	r->io.data = r->ear_io.data = r->limit.data = m;
}
