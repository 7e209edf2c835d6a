/*
 * PROCESS 1 begins here: options, daemonizing, then master_run.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/kernel.h"
#include "base/title.h"
#include "master/master.h"

/* 0, 1 and 2 must be open, or a listener would become "stderr". */
static int
open_standard(void)
{
	struct stat st;
	int fd;

	for (fd = 0; fd <= 2; fd++)
		if (fstat(fd, &st) < 0 && open("/dev/null", O_RDWR) != fd)
			return -EBADF;
	return 0;
}

/* The one who typed the command waits here until the master is ready. */
static int
await_ready(int fd, const char *program)
{
	char text[32];
	ssize_t n;

	do
		n = read(fd, text, sizeof(text));
	while (n < 0 && errno == EINTR);
	if (n > 0)
		return 0;
	fprintf(stderr,
	    "%s: master failed to start, check stderr log for details\n",
	    program);
	return 1;
}

/* Detached as unicorn does: not a session leader. Exits in the parents. */
static int
daemonize(struct options *o)
{
	int null, pair[2];
	pid_t pid, was = getpid();

	if (pipe2(pair, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid > 0) {
		fd_close(&pair[1]);
		_exit(await_ready(pair[0], o->program));
	}
	setsid();
	pid = fork();
	if (pid != 0)
		_exit(pid < 0);
	fd_close(&pair[0]);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0)
		return -errno;
	fd_close(&null);
	o->ready_fd = pair[1];
	inherit_daemonized(was);
	return 0;
}

int
main(int argc, char **argv)
{
	static struct options options;
	struct fail why = FAIL_INIT;
	int rc;

	if (open_standard() < 0 || title_init(argc, argv) < 0)
		return 1;
	switch (options_parse(&options, argc, argv)) {
	case OPTIONS_DONE:
		return 0;
	case OPTIONS_WRONG:
		return 1;
	case OPTIONS_RUN:
		break;
	}
	/* On the terminal, and before anything is bound or written. */
	if (kernel_check(&why) < 0) {
		fprintf(stderr, "%s: %s\n", options.program, why.text);
		return 1;
	}
	/* The master before was in the background already. */
	if (getenv("UNICORN_FD") != NULL || options.state_fd >= 0)
		options.daemonize = false;
	if (options.daemonize && !options.check) {
		rc = daemonize(&options);
		if (rc < 0) {
			fprintf(stderr, "%s: cannot daemonize: errno %d\n",
			    options.program, -rc);
			return 1;
		}
	}
	return master_run(&options);
}
