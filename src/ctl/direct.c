/*
 * direct.c - a session in which the worker has our own descriptors: nothing
 * passes through here but signals and, at the end, the status.
 *
 * Signals are blocked and read from a signalfd; the terminal sends its own to
 * us alone, for the worker is in no job of the shell's.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/pidfd.h"
#include "base/rights.h"
#include "base/sockpath.h"
#include "ctl/lease.h"

extern char **environ;

static const int forwarded[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1,
	SIGUSR2, SIGWINCH, SIGTSTP };
#define FORWARDED (sizeof(forwarded) / sizeof(forwarded[0]))

int
direct_connect(struct lease_link *link, const char *path, struct fail *why)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path))
		return fail_set(
		    why, ENAMETOOLONG, "too long for a socket: %s", path);
	memcpy(address.sun_path, path, strlen(path) + 1);
	link->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (link->fd < 0 ||
	    connect(link->fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return fail_set(why, errno, "%s: %s", path, strerror(errno));
	return 0;
}

void
direct_close(struct lease_link *link)
{
	fd_close(&link->fd);
	fd_close(&link->pidfd);
}

/* LEASE */

/* A file of our arguments and environment: the worker takes what it may. */
static int
words_file(char *const *arguments)
{
	int fd = memfd_create("reforkctl-words", MFD_CLOEXEC);
	struct buf words = BUF_INIT;
	char **variable;
	int rc = 0;

	for (; rc == 0 && *arguments != NULL; arguments++) {
		rc = buf_printf(&words, "arg=%s", *arguments);
		if (rc == 0)
			rc = buf_put(&words, "", 1);
	}
	for (variable = environ; rc == 0 && *variable != NULL; variable++) {
		rc = buf_printf(&words, "env=%s", *variable);
		if (rc == 0)
			rc = buf_put(&words, "", 1);
	}
	if (fd < 0 || rc < 0 ||
	    fd_write_all(fd, words.data != NULL ? words.data : "", words.len) <
		0)
		fd_close(&fd);
	buf_fini(&words);
	return fd;
}

static int
line_make(struct buf *line, const struct lease_order *order, const int fds[3])
{
	mode_t mask = umask(0);
	char text[1024];
	int i, rc = record_begin(line, "LEASE");

	(void)umask(mask);
	if (rc == 0 && order->pool != NULL)
		rc = record_text(line, "pool", order->pool);
	(void)snprintf(text, sizeof(text), "%s%scwd,args",
	    fds[0] >= 0 ? "stdin,stdout," : "", fds[2] >= 0 ? "stderr," : "");
	if (rc == 0)
		rc = record_text(line, "fds", text);
	if (rc == 0)
		rc = buf_printf(line, " umask=%o", (unsigned int)mask);
	for (i = 0; rc == 0 && i < order->nfields; i++) {
		const char *equal = strchr(order->fields[i], '=');

		(void)snprintf(text, sizeof(text), "%.*s",
		    (int)(equal - order->fields[i]), order->fields[i]);
		rc = record_text(line, text, equal + 1);
	}
	if (rc == 0)
		rc = project_put(line, order);
	return rc;
}

int
direct_hear(int fd, struct leaseline *line, char bytes[LEASELINE_MAX + 1],
    int *fds, int *nfds, struct fail *why)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	ssize_t n;

	do {
		(void)poll(&pfd, 1, -1);
		n = rights_recv(fd, bytes, LEASELINE_MAX, fds, nfds);
	} while (n == -EAGAIN || n == -EINTR);
	if (n < 0) {
		rights_close(fds, *nfds);
		(void)fail_set(
		    why, (int)-n, "the lease socket: %s", strerror((int)-n));
		return (int)n;
	}
	if (n == 0)
		return 0;
	if (leaseline_parse(
		line, bytes, (size_t)n, *nfds, LEASELINE_SERVER, why) < 0) {
		rights_close(fds, *nfds);
		return -EPROTO;
	}
	return 1;
}

void
direct_take(struct lease_link *link, const struct leaseline *line,
    const int *take_fds, int nfds, int give_fds[2])
{
	uint64_t pid = 0;

	(void)leaseline_count(line, "id", UINT64_MAX, &link->id);
	(void)leaseline_count(line, "pid", INT32_MAX, &pid);
	(void)leaseline_count(line, "gen", UINT64_MAX, &link->generation);
	link->pid = (pid_t)pid;
	link->pidfd = take_fds[0];
	if (nfds == 3 && give_fds != NULL) {
		give_fds[0] = take_fds[1];
		give_fds[1] = take_fds[2];
	} else {
		rights_close(take_fds + 1, nfds - 1);
	}
}

static int
answer_await(struct lease_link *link, struct fail *why)
{
	char bytes[LEASELINE_MAX + 1];
	struct leaseline line;
	int fds[RIGHTS_MAX], nfds, rc;

	while (
	    (rc = direct_hear(link->fd, &line, bytes, fds, &nfds, why)) > 0) {
		if (line.verb == LEASELINE_LEASED) {
			direct_take(link, &line, fds, nfds, NULL);
			return 0;
		}
		rights_close(fds, nfds);
		if (line.verb == LEASELINE_ERR)
			return fail_set(why, EAGAIN, "%s (%s)",
			    leaseline_text(&line, "text"),
			    leaseline_text(&line, "code"));
	}
	return rc < 0 ? rc : fail_set(why, EPIPE, "the server has gone");
}

int
direct_ask(struct lease_link *link, const struct lease_order *order,
    const int fds[3], struct fail *why)
{
	int give[LEASELINE_FDS_MAX], n = 0, i, rc;
	int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int words = words_file(order->arguments);
	struct buf line = BUF_INIT;

	for (i = 0; i < 3; i++)
		if (fds[i] >= 0)
			give[n++] = fds[i];
	give[n++] = here;
	give[n++] = words;
	rc = line_make(&line, order, fds);
	if (here < 0 || words < 0 || rc < 0)
		rc = fail_set(why, EINVAL,
		    "the working directory or the arguments cannot be passed");
	else if (line.len >= LEASELINE_MAX)
		rc = fail_set(why, EMSGSIZE, "the fields are too long");
	else
		rc = rights_send(link->fd, line.data, line.len, give, n);
	if (rc < 0 && why->text[0] == '\0')
		(void)fail_set(why, -rc, "the lease socket: %s", strerror(-rc));
	buf_fini(&line);
	fd_close(&here);
	fd_close(&words);
	return rc;
}

int
direct_lease(struct lease_link *link, const struct lease_order *order,
    const int fds[3], struct fail *why)
{
	int rc = direct_ask(link, order, fds, why);

	return rc < 0 ? rc : answer_await(link, why);
}

/* The session */

static void
tell(struct lease_link *link, const char *verb, int signo)
{
	struct buf line = BUF_INIT;
	char name[16];

	if (link->fd < 0) {
		(void)pidfd_signal(link->pidfd, signo);
		return;
	}
	if (record_begin(&line, verb) == 0 &&
	    record_count(&line, "id", link->id) == 0 &&
	    record_text(&line, "signal",
		leaseline_signal_name(signo, name, sizeof(name))) == 0)
		(void)rights_send(link->fd, line.data, line.len, NULL, 0);
	buf_fini(&line);
}

/*
 * TSTP means nothing to a process in no job of a shell's, so that the worker is
 * stopped; TERM and HUP are meant for good.
 */
void
direct_forward(struct lease_link *link, int signo)
{
	switch (signo) {
	case SIGTSTP:
		tell(link, "SIGNAL", SIGSTOP);
		(void)raise(SIGSTOP);
		tell(link, "SIGNAL", SIGCONT);
		break;
	case SIGTERM:
	case SIGHUP:
		tell(link, "RELEASE", signo);
		break;
	default:
		tell(link, "SIGNAL", signo);
		break;
	}
}

int
direct_signals(void)
{
	sigset_t set;
	size_t i;

	sigemptyset(&set);
	for (i = 0; i < FORWARDED; i++)
		(void)sigaddset(&set, forwarded[i]);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

bool
direct_end(const struct leaseline *line, int *status, int *signo)
{
	uint64_t n = 0;

	if (line->verb != LEASELINE_EXITED)
		return false;
	if (leaseline_count(line, "status", 255, &n) == 0)
		*status = (int)n;
	else
		*signo = leaseline_signal(leaseline_text(line, "signal"));
	if (*signo < 0)
		*signo = 0;
	return true;
}

/* EXITED: true, with the status or the signal. */
static bool
is_exited(struct lease_link *link, int *status, int *signo)
{
	char bytes[LEASELINE_MAX + 1];
	struct fail why = FAIL_INIT;
	struct leaseline line;
	int fds[RIGHTS_MAX], nfds;
	int rc = direct_hear(link->fd, &line, bytes, fds, &nfds, &why);

	if (rc <= 0) {
		fd_close(&link->fd);
		return false;
	}
	rights_close(fds, nfds);
	return direct_end(&line, status, signo);
}

int
direct_orphan_status(const struct lease_link *link, int *signo)
{
	struct pidfd_exit e = { 0 };

	if (pidfd_status(link->pidfd, &e) <= 0)
		return LEASE_EXIT_UNAVAILABLE;
	if (e.code != CLD_EXITED)
		*signo = e.status;
	return e.status;
}

int
direct_wait(struct lease_link *link, int *signo)
{
	int signals = direct_signals();
	int status = LEASE_EXIT_UNAVAILABLE;

	for (;;) {
		struct pollfd fds[3] = { { link->fd, POLLIN, 0 },
			{ signals, POLLIN, 0 },
			/* With a server its word is waited for. */
			{ link->fd < 0 ? link->pidfd : -1, POLLIN, 0 } };
		struct signalfd_siginfo got;

		if (poll(fds, 3, -1) < 0)
			continue;
		if (fds[1].revents != 0 &&
		    read(signals, &got, sizeof(got)) == sizeof(got))
			direct_forward(link, (int)got.ssi_signo);
		if (fds[0].revents != 0 && is_exited(link, &status, signo))
			break;
		if (fds[2].revents != 0) {
			status = direct_orphan_status(link, signo);
			break;
		}
	}
	fd_close(&signals);
	return status;
}
