/*
 * launch.c - which master leases, and with --start: making one.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sockpath.h"
#include "ctl/find.h"
#include "ctl/lease.h"

extern char **environ;

/* Another one that is just being started: waited for so long. */
#define TRIES 100
#define TRY_MS 100

/* reforkd, beside this program. */
static int
server_path(char *out, size_t cap)
{
	char *slash;
	ssize_t n = readlink("/proc/self/exe", out, cap - 1);

	if (n < 0)
		return -errno;
	out[n] = '\0';
	slash = strrchr(out, '/');
	if (slash == NULL || (size_t)(slash - out) + 9 > cap)
		return -ENAMETOOLONG;
	memcpy(slash + 1, "reforkd", 8);
	return 0;
}

/* Beside the sockets: what the server says before its file says where. */
static int
log_path(const char *config, char *out, size_t cap)
{
	char dir[SOCKPATH_MAX];
	int rc = sockpath_dir(dir, sizeof(dir));

	if (rc == 0)
		rc = sockpath_make_dir(dir);
	if (rc == 0)
		rc = sockpath_by_config(config, out, cap);
	if (rc == 0)
		memcpy(out + strlen(out) - 5, ".log", 5);
	return rc;
}

/* A relay that starts it ignores PIPE, and reads others from a signalfd. */
static void
signals_as_usual(posix_spawnattr_t *attributes)
{
	sigset_t set;

	(void)posix_spawnattr_init(attributes);
	sigemptyset(&set);
	(void)posix_spawnattr_setsigmask(attributes, &set);
	(void)sigaddset(&set, SIGPIPE);
	(void)posix_spawnattr_setsigdefault(attributes, &set);
	(void)posix_spawnattr_setflags(
	    attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

/* In the background; it comes back when it is ready, or has failed. */
static int
server_start(const char *config, struct fail *why)
{
	char program[PATH_MAX], log[SOCKPATH_MAX];
	char name[] = "reforkd", daemonize[] = "-D", flag[] = "-c";
	char file[PATH_MAX];
	char *argv[] = { name, daemonize, flag, file, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int status = 0, rc;
	pid_t pid;

	(void)snprintf(file, sizeof(file), "%s", config);
	rc = server_path(program, sizeof(program));
	if (rc == 0)
		rc = log_path(config, log, sizeof(log));
	if (rc < 0)
		return fail_set(
		    why, -rc, "--start %s: %s", config, strerror(-rc));
	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawn_file_actions_addopen(
	    &actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	(void)posix_spawn_file_actions_addopen(
	    &actions, STDOUT_FILENO, log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	(void)posix_spawn_file_actions_adddup2(
	    &actions, STDOUT_FILENO, STDERR_FILENO);
	signals_as_usual(&attributes);
	rc = posix_spawn(&pid, program, &actions, &attributes, argv, environ);
	(void)posix_spawnattr_destroy(&attributes);
	(void)posix_spawn_file_actions_destroy(&actions);
	if (rc != 0)
		return fail_set(why, rc, "%s: %s", program, strerror(rc));
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (status != 0)
		return fail_set(why, ECHILD,
		    "--start %s: the server did not start: %s says why", config,
		    log);
	return 0;
}

static int
find(const struct command *command, const char *config, struct find *f,
    struct fail *why)
{
	int rc;

	memset(f, 0, sizeof(*f));
	if (command->path != NULL)
		rc = find_by_path(f, command->path, why);
	else if (config != NULL)
		rc = find_by_config(f, config, why);
	else if (command->pid != 0)
		rc = find_by_pid(f, (pid_t)command->pid, why);
	else
		rc = find_all(f, why);
	if (rc == 0)
		find_ask(f);
	return rc;
}

/* The only one that leases. */
static int
pick(const struct find *f, char *path, size_t cap, struct fail *why)
{
	const char *found = NULL;
	size_t i;

	for (i = 0; i < f->n; i++) {
		if (f->at[i].leases[0] == '\0')
			continue;
		if (found != NULL)
			return fail_set(why, EEXIST,
			    "several servers lease: name one with -p, -c or "
			    "-s");
		found = f->at[i].leases;
	}
	if (found == NULL)
		return fail_set(why, ENOENT,
		    f->n > 0 ? "the server has no pool of workers to lease"
			     : "no server is running");
	(void)snprintf(path, cap, "%s", found);
	return 0;
}

int
launch_find(const struct command *command, const struct lease_order *order,
    char *path, size_t cap, struct fail *why)
{
	const char *config =
	    command->config != NULL ? command->config : order->start;
	struct fail not_started = FAIL_INIT;
	static struct find f;
	int tries = 0, rc;

	for (;;) {
		memset(why, 0, sizeof(*why));
		rc = find(command, config, &f, why);
		if (rc == 0)
			rc = pick(&f, path, cap, why);
		find_fini(&f);
		if (rc == 0 || order->start == NULL)
			return rc;
		/* Two of us may start one at once: the other's is as good. */
		if (tries == 0)
			(void)server_start(order->start, &not_started);
		else if (tries >= TRIES)
			break;
		else
			(void)poll(NULL, 0, TRY_MS);
		tries++;
		if (not_started.error != 0 && tries > 20)
			break;
	}
	if (not_started.error != 0)
		*why = not_started;
	return rc;
}
