#include "master/upgrade.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/log.h"
#include "master/control.h"
#include "master/hooks.h"
#include "master/master.h"

/* Beyond before_exec's own limit, the mold may be busy with a callback. */
#define WAIT_S 15.0
#define ARGS_MAX 512

/* What is exec'd, and how. Strings are borrowed from the answer's copy. */
struct image {
	char *text;
	const char *program, *cwd;
	const char *argv[ARGS_MAX + 2];
	size_t args;
};

bool
upgrade_under_way(const struct master *m)
{
	return m->upgrade.pid != 0 || m->upgrade.asked;
}

void
upgrade_share(struct master *m)
{
	bool shared = m->upgrade.pid != 0;
	struct pool *p = NULL;
	size_t i;

	while ((p = pools_next(m, p)) != NULL)
		for (i = 0; i < p->listeners.n; i++)
			shared = shared || p->listeners.at[i].shared;
	m->board->listeners_shared = shared;
}

static void
share(struct master *m, bool with_child)
{
	struct pool *p = NULL;
	struct listener *l;
	size_t i;

	while ((p = pools_next(m, p)) != NULL)
		for (i = 0; i < p->listeners.n; i++) {
			l = &p->listeners.at[i];
			l->shared =
			    with_child || l->immortal || m->parent_pidfd >= 0;
		}
	upgrade_share(m);
}

/* --- the pid file and the control socket step aside, and back --------- */

static int
step_aside(struct master *m)
{
	char old[sizeof(m->pid_file) + 8], text[200];
	pid_t other;

	if (m->pid_file[0] == '\0')
		return 0;
	snprintf(old, sizeof(old), "%s.oldbin", m->pid_file);
	other = pidfile_live(old);
	if (other != 0 && other != getpid()) {
		log_error("old PID:%d running with existing pid=%s, refusing "
			  "rexec",
		    (int)other, old);
		return -EEXIST;
	}
	if (rename(m->pid_file, old) < 0) {
		log_error("error writing pid=%s %s", old,
		    strerror_r(errno, text, sizeof(text)));
		return -EIO;
	}
	snprintf(m->pid_file, sizeof(m->pid_file), "%.*s",
	    (int)sizeof(m->pid_file) - 1, old);
	return 0;
}

static void
step_back(struct master *m)
{
	const char *path = m->pool.settings.pid;

	control_aside(m->control, false);
	if (m->pid_file[0] == '\0' || strcmp(m->pid_file, path) == 0)
		return;
	if (rename(m->pid_file, path) < 0)
		log_error("error writing pid=%s %s", path, strerror(errno));
	else
		snprintf(m->pid_file, sizeof(m->pid_file), "%s", path);
}

/* --- the image --------------------------------------------------------- */

static void
image_line(struct image *i, const char *name, const char *value)
{
	if (strcmp(name, "program") == 0)
		i->program = value;
	else if (strcmp(name, "cwd") == 0)
		i->cwd = value;
	else if (strcmp(name, "arg") == 0 && i->args < ARGS_MAX)
		i->argv[++i->args] = value;
}

/* Calls `each` with every "name=value" of the text. */
static void
image_each(char *text, size_t len, struct image *i,
    void (*each)(struct image *, const char *, const char *))
{
	char *end = text + len, *eq;

	for (; text < end; text += strlen(text) + 1) {
		eq = strchr(text, '=');
		if (eq == NULL)
			continue;
		*eq = '\0';
		each(i, text, eq + 1);
		*eq = '=';
	}
}

static void
image_default(struct master *m, struct image *i)
{
	size_t n;

	i->program = m->options->arg0;
	i->cwd = m->options->cwd;
	for (n = 0; n < ARGS_MAX && m->options->args[n] != NULL; n++)
		i->argv[n + 1] = m->options->args[n];
	i->args = n;
}

static void
environment_line(struct image *i, const char *name, const char *value)
{
	const char *eq;
	char *key;

	(void)i;
	if (strcmp(name, "unset") == 0)
		unsetenv(value);
	if (strcmp(name, "env") != 0)
		return;
	eq = strchr(value, '=');
	key = eq != NULL ? strndup(value, (size_t)(eq - value)) : NULL;
	if (key != NULL)
		setenv(key, eq + 1, 1);
	free(key);
}

static void
say_executing(const struct image *i)
{
	struct buf line = BUF_INIT;
	size_t n;
	int rc = 0;

	for (n = 0; rc == 0 && n <= i->args; n++)
		rc = buf_printf(
		    &line, "%s\"%s\"", n > 0 ? ", " : "", i->argv[n]);
	if (rc == 0)
		log_info("executing [%s] (in %s)", buf_cstr(&line), i->cwd);
	buf_fini(&line);
}

static int
hand_over_some(const struct listeners *all, struct buf *out)
{
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && i < all->n; i++) {
		fd_cloexec(all->at[i].fd, false);
		rc = buf_printf(
		    out, "%s%d", out->len > 0 ? "," : "", all->at[i].fd);
	}
	return rc;
}

/* The numbers stay the same in the new image. Those of other pools are nothing
 * for a unicorn, should that be what comes next. */
static void
hand_over(const struct master *m)
{
	struct buf own = BUF_INIT, others = BUF_INIT;
	struct pool *p = NULL;
	int rc = hand_over_some(&m->pool.listeners, &own);

	while (rc == 0 && (p = pools_next(m, p)) != NULL)
		if (!pool_is_default(p))
			rc = hand_over_some(&p->listeners, &others);
	if (rc < 0 || buf_cstr(&own) == NULL || buf_cstr(&others) == NULL) {
		log_error("no memory to name the sockets");
	} else {
		setenv("UNICORN_FD", own.data, 1);
		if (others.len > 0)
			setenv("REFORKD_FD", others.data, 1);
	}
	buf_fini(&own);
	buf_fini(&others);
}

static void
become(struct master *m, struct image *i, size_t len)
{
	hand_over(m);
	notify_put_back(m);
	if (i->text != NULL)
		image_each(i->text, len, i, environment_line);
	signals_default();
	if (chdir(i->cwd) < 0)
		log_error("cannot enter %s: %s", i->cwd, strerror(errno));
	execv(i->program, (char *const *)(uintptr_t)i->argv);
	log_error("cannot execute %s: %s", i->program, strerror(errno));
	_exit(127);
}

/* --- the new master ---------------------------------------------------- */

static void
gone(struct master *m)
{
	struct upgrade *u = &m->upgrade;
	struct pidfd_exit e = { 0 };
	char how[96];

	(void)pidfd_status(u->pidfd, &e);
	pidfd_exit_text(&e, how, sizeof(how));
	log_error(
	    "reaped #<Process::Status: pid %d %s> exec()-ed", (int)u->pid, how);
	ev_io_stop(m->loop, &u->io);
	fd_close(&u->pidfd);
	u->pid = 0;
	share(m, false);
	notify_main_pid(m, getpid());
	if (m->phase < MASTER_STOPPING)
		step_back(m);
	master_title(m);
}

static void
on_gone(struct ev_loop *loop, ev_io *w, int revents)
{
	(void)loop;
	(void)revents;
	gone(w->data);
}

bool
upgrade_look(struct master *m, pid_t pid)
{
	if (m->upgrade.pid == 0 || m->upgrade.pid != pid)
		return false;
	gone(m);
	return true;
}

static void
watch(struct master *m, pid_t pid)
{
	struct upgrade *u = &m->upgrade;

	u->pid = pid;
	u->pidfd = pidfd_open_pid(pid);
	if (u->pidfd < 0)
		return; /* SIGCHLD tells it as well */
	ev_io_set(&u->io, u->pidfd, EV_READ);
	ev_io_start(m->loop, &u->io);
}

static void
execute(struct master *m, const char *answer, size_t len)
{
	struct image image = { 0 };
	pid_t pid;

	if (m->phase != MASTER_SERVING)
		return;
	if (step_aside(m) < 0)
		return;
	image_default(m, &image);
	if (answer != NULL && (image.text = malloc(len + 1)) != NULL) {
		memcpy(image.text, answer, len);
		image.text[len] = '\0';
		image.args = 0;
		image_each(image.text, len, &image, image_line);
	}
	image.argv[0] = image.program;
	image.argv[image.args + 1] = NULL;
	say_executing(&image);
	control_aside(m->control, true);
	share(m, true);
	pid = fork();
	if (pid == 0)
		become(m, &image, len);
	free(image.text);
	if (pid < 0) {
		log_error("cannot fork for the upgrade: %s", strerror(errno));
		share(m, false);
		step_back(m);
		return;
	}
	watch(m, pid);
	master_title(m);
}

void
upgrade_answer(struct master *m, const char *text, size_t len)
{
	struct upgrade *u = &m->upgrade;

	if (!u->asked)
		return;
	u->asked = false;
	ev_timer_stop(m->loop, &u->wait);
	execute(m, text, len);
}

static void
on_wait(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	log_warn("no mold has answered for before_exec: the new master starts "
		 "without it");
	upgrade_answer(w->data, NULL, 0);
}

void
upgrade_start(struct master *m)
{
	struct upgrade *u = &m->upgrade;

	if (u->pid != 0) {
		log_error(
		    "reexec-ed child already running PID:%d", (int)u->pid);
		return;
	}
	if (u->asked || m->phase != MASTER_SERVING) {
		log_warn("SIGUSR2 ignored: %s",
		    u->asked ? "an upgrade is under way already"
			     : "this master does not serve now");
		return;
	}
	u->asked = true;
	if (hooks_before_exec(&m->pool) < 0) {
		upgrade_answer(m, NULL, 0);
		return;
	}
	ev_timer_stop(m->loop, &u->wait);
	ev_timer_set(&u->wait, WAIT_S, 0.);
	ev_now_update(m->loop);
	ev_timer_start(m->loop, &u->wait);
}

void
upgrade_init(struct master *m)
{
	struct upgrade *u = &m->upgrade;

	u->pidfd = -1;
	m->parent_pidfd = -1;
	ev_init(&u->io, on_gone);
	ev_init(&u->wait, on_wait);
	u->io.data = u->wait.data = m;
}
