/*
 * SETTINGS that come into force for the master itself: pid file, control
 * socket, log files.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/sockpath.h"
#include "master/control.h"
#include "master/leases.h"
#include "master/master.h"
#include "master/words.h"

/*
 * Workers that became another user open the new file at the same moment: it
 * must be theirs before they are told.
 */
static void
own_as_before(int file, int was_fd)
{
	struct stat was, now;

	if (fstat(was_fd, &was) == 0 && S_ISREG(was.st_mode) &&
	    fstat(file, &now) == 0 && now.st_size == 0 &&
	    (now.st_uid != was.st_uid || now.st_gid != was.st_gid))
		(void)!fchown(file, was.st_uid, was.st_gid);
}

/* Appends, as Ruby's File.open(path, "ab") does; the descriptor stays 2. */
static int
redirect(const char *path, int fd, bool again)
{
	int file, rc;

	if (path == NULL || path[0] == '\0')
		return 0;
	file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	if (file < 0)
		return -errno;
	if (again)
		own_as_before(file, fd);
	rc = dup2(file, fd) < 0 ? -errno : 0;
	fd_close(&file);
	return rc;
}

/* Puts FILE:LINE and the directive before the reason. */
static int
blame(const struct rfk_settings_table *s, enum rfk_setting which,
    const char *value, struct fail *why)
{
	const char *place = settings_place(s, which);

	return fail_in(why, "%s%s%s \"%s\"", place, place[0] ? ": " : "",
	    settings_name(which), value);
}

int
master_redirect(
    const struct rfk_settings_table *s, bool again, struct fail *why)
{
	int rc = redirect(s->stderr_path, STDERR_FILENO, again);

	if (rc < 0) {
		fail_set(why, -rc, "%s", strerror(-rc));
		return blame(s, RFK_SET_stderr_path, s->stderr_path, why);
	}
	rc = redirect(s->stdout_path, STDOUT_FILENO, again);
	if (rc < 0) {
		fail_set(why, -rc, "%s", strerror(-rc));
		return blame(s, RFK_SET_stdout_path, s->stdout_path, why);
	}
	return 0;
}

/* PIDFILE.sock, else a path by the configuration's hash. */
static int
default_path(const char *pid_file, const char *config, char *out, size_t cap)
{
	char dir[SOCKPATH_MAX];
	int rc;

	/* A pid file with so long a name leaves no room for a socket by it. */
	if (pid_file != NULL && *pid_file != '\0' &&
	    sockpath_by_pid_file(pid_file, out, cap) == 0 &&
	    strlen(out) < SOCKPATH_MAX)
		return 0;
	rc = sockpath_by_config(config, out, cap);
	if (rc == 0)
		rc = sockpath_dir(dir, sizeof(dir));
	return rc < 0 ? rc : sockpath_make_dir(dir);
}

static int
apply_pid(
    struct master *m, const struct rfk_settings_table *s, struct fail *why)
{
	const char *path = s->pid;
	int rc;

	if (strcmp(m->pid_file, path) == 0)
		return 0;
	if (m->upgrade.pid != 0) {
		log_warn("will not set pid=%s while reexec-ed child is running "
			 "PID:%d",
		    path, (int)m->upgrade.pid);
		return 0;
	}
	if (path[0] != '\0') {
		rc = pidfile_write(path, why);
		if (rc < 0)
			return blame(s, RFK_SET_pid, path, why);
	}
	pidfile_remove(m->pid_file);
	snprintf(m->pid_file, sizeof(m->pid_file), "%s", path);
	return 0;
}

static int
apply_control(
    struct master *m, const struct rfk_settings_table *s, struct fail *why)
{
	char path[256];
	struct control *fresh;
	int rc;

	snprintf(path, sizeof(path), "%s", s->control);
	if (path[0] == '\0') {
		rc = default_path(s->pid, s->config_file, path, sizeof(path));
		if (rc < 0) {
			log_warn("no control socket: its default path is not "
				 "usable (%s); set `control`",
			    strerror(-rc));
			return 0;
		}
	}
	if (m->control != NULL && strcmp(control_path(m->control), path) == 0)
		return 0;
	fresh = control_open(m, path, -1, why);
	if (fresh == NULL)
		return blame(s, RFK_SET_control, path, why);
	control_close(m->control);
	m->control = fresh;
	return 0;
}

int
master_leases(
    struct master *m, const struct rfk_settings_table *s, struct fail *why)
{
	char path[SOCKPATH_MAX];

	if (s->kind != RFK_KIND_LEASE || m->leases != NULL)
		return 0;
	if (sockpath_of_leases(s->lease_socket,
		m->control != NULL ? control_path(m->control) : "", path,
		sizeof(path)) < 0)
		return fail_set(why, EINVAL,
		    "no lease socket: it lies beside the control socket, which "
		    "there is none (set `lease_socket`)");
	m->leases = leases_open(m, path, why);
	if (m->leases == NULL)
		return blame(s, RFK_SET_lease_socket, path, why);
	log_info("leases at %s", path);
	return 0;
}

int
master_apply(
    struct master *m, const struct rfk_settings_table *s, struct fail *why)
{
	int rc;

	words_choose(s);
	rc = apply_pid(m, s, why);
	if (rc == 0)
		rc = apply_control(m, s, why);
	/* Last, so that a mistake before it is read on the terminal. */
	if (rc == 0)
		rc = master_redirect(s, false, why);
	if (rc == 0)
		oom_apply(&m->oom, s);
	return rc;
}
