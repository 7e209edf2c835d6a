/*
 * relay.c - bytes between an editor and its worker.
 *
 * The editor's descriptors are shared with others, so that they stay blocking:
 * they are read and written only as far as poll promises. A side that does not
 * read stops the other one from being read: nothing grows without end.
 */
#include "ctl/relay.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/pidfd.h"
#include "base/rights.h"

/* More is not read while so much waits to be written. */
#define WAITING_MAX (4U << 20)
/* A pipe that poll says may be written takes so much. */
#define WRITE_MAX 4096
/* From the end of its output to the end of its process, and of its session. */
#define CORPSE_MS 1000
#define LINGER_MS 10000
/* An editor that has stopped reading, at the end. */
#define FLUSH_MS 2000

void
relay_note(const char *text)
{
	(void)fprintf(stderr, "reforkctl lease: %s\n", text);
}

void
relay_say(const char *fmt, ...)
{
	char text[1200];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	relay_note(text);
}

void
relay_end(struct relay *r, int rc, const char *text)
{
	relay_note(text);
	(void)session_give_up(&r->session, text);
	r->done = true;
	r->rc = rc;
	r->signo = 0;
}

/* The editor's side */

/* It says nothing more: the worker has a while to end by itself. */
static void
editor_ended(struct relay *r)
{
	if (r->closed_ms == 0)
		r->closed_ms = clock_ms();
	if (r->now.in < 0) {
		r->done = true;
		r->rc = 1; /* like a server that was not told to shut down */
	}
}

static void
editor_lost(struct relay *r)
{
	if (r->editor_gone)
		return;
	r->editor_gone = true;
	editor_ended(r);
}

static void
editor_read(struct relay *r)
{
	char bytes[65536];
	struct fail why = FAIL_INIT;
	const char *body;
	size_t len;
	ssize_t n = read(STDIN_FILENO, bytes, sizeof(bytes));
	int rc;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		editor_lost(r);
		return;
	}
	rc = frame_put(&r->from_editor, bytes, (size_t)n);
	while (rc == 0 &&
	       (rc = frame_next(&r->from_editor, &body, &len, &why)) > 0)
		rc = session_hear_editor(&r->session, body, len);
	if (rc == 0 && r->session.exited)
		editor_ended(r);
	if (rc == -EPROTO) {
		(void)fail_in(&why, "the editor speaks no LSP");
		relay_end(r, LEASE_EXIT_PROTOCOL, why.text);
	} else if (rc < 0) {
		relay_end(r, LEASE_EXIT_RELAY, strerror(-rc));
	}
}

/* A socket says when it is full; a pipe takes what poll has promised. */
static void
editor_write(struct relay *r)
{
	struct buf *b = &r->session.to_editor;
	ssize_t n =
	    send(STDOUT_FILENO, b->data, b->len, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0 && errno == ENOTSOCK)
		n = write(STDOUT_FILENO, b->data,
		    b->len < WRITE_MAX ? b->len : WRITE_MAX);
	if (n > 0)
		buf_drop(b, (size_t)n);
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		editor_lost(r);
}

/* The worker's side */

/* true: more may come at once. */
static bool
worker_read(struct relay *r)
{
	char bytes[65536];
	struct fail why = FAIL_INIT;
	const char *body;
	size_t len;
	ssize_t n = read(r->now.out, bytes, sizeof(bytes));
	int rc;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		fd_close(&r->now.out);
		if (r->closed_ms == 0)
			r->closed_ms = clock_ms();
		return false;
	}
	rc = frame_put(&r->from_worker, bytes, (size_t)n);
	while (rc == 0 &&
	       (rc = frame_next(&r->from_worker, &body, &len, &why)) > 0)
		rc = session_hear_worker(&r->session, body, len, &why);
	if (rc < 0) {
		(void)fail_in(&why, "the worker %ld speaks no LSP",
		    (long)r->now.link.pid);
		r->status = 1;
		replace_lost(r, rc == -EPROTO ? why.text : strerror(-rc));
		return false;
	}
	return true;
}

static void
worker_write(struct relay *r)
{
	struct buf *b = &r->session.to_worker;
	ssize_t n = write(r->now.in, b->data, b->len);

	if (n > 0)
		buf_drop(b, (size_t)n);
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		fd_close(&r->now.in); /* its end is about to be told */
}

static void
worker_ended(struct relay *r)
{
	char text[128], name[16];

	while (r->now.out >= 0 && worker_read(r))
		;
	if (r->lost || r->done)
		return;
	if (r->signo != 0)
		(void)snprintf(text, sizeof(text),
		    "the worker %ld was ended by signal %s",
		    (long)r->now.link.pid,
		    leaseline_signal_name(r->signo, name, sizeof(name)));
	else
		(void)snprintf(text, sizeof(text),
		    "the worker %ld ended with status %d",
		    (long)r->now.link.pid, r->status);
	replace_lost(r, text);
}

static void
server_hear(struct relay *r)
{
	char bytes[LEASELINE_MAX + 1];
	struct fail why = FAIL_INIT;
	struct leaseline line;
	int fds[RIGHTS_MAX], nfds;
	uint64_t generation = 0;
	int rc = direct_hear(r->now.link.fd, &line, bytes, fds, &nfds, &why);

	if (rc <= 0) {
		fd_close(&r->now.link.fd); /* the pidfd tells from now on */
		replace_want(r, 0);        /* it is let live for a while only */
		return;
	}
	rights_close(fds, nfds);
	if (direct_end(&line, &r->status, &r->signo)) {
		worker_ended(r);
	} else if (line.verb == LEASELINE_GEN) {
		(void)leaseline_count(&line, "gen", UINT64_MAX, &generation);
		if (generation > r->now.link.generation)
			replace_want(r, generation);
	} else if (line.verb == LEASELINE_DRAIN) {
		replace_want(r, 0);
	}
}

/* The loop */

enum place { EDITOR_IN, EDITOR_OUT, IN, OUT, SERVER, NEXT, PIDFD, SIGNALS };
#define PLACES (SIGNALS + 1)

static void
places_set(const struct relay *r, struct pollfd *at, int signals)
{
	const struct session *s = &r->session;
	bool editor = !r->editor_gone && !s->exited;
	int i;

	for (i = 0; i < PLACES; i++)
		at[i] = (struct pollfd){ -1, POLLIN, 0 };
	if (editor && s->to_worker.len < WAITING_MAX)
		at[EDITOR_IN].fd = STDIN_FILENO;
	if (!r->editor_gone && s->to_editor.len > 0)
		at[EDITOR_OUT] = (struct pollfd){ STDOUT_FILENO, POLLOUT, 0 };
	if (s->to_worker.len > 0)
		at[IN] = (struct pollfd){ r->now.in, POLLOUT, 0 };
	if (s->to_editor.len < WAITING_MAX)
		at[OUT].fd = r->now.out;
	at[SERVER].fd = r->now.link.fd;
	at[NEXT].fd = r->next.link.fd;
	if (r->now.link.fd < 0)
		at[PIDFD].fd = r->now.link.pidfd;
	at[SIGNALS].fd = signals;
}

static void
signal_hear(struct relay *r, int signals)
{
	struct signalfd_siginfo got;

	if (read(signals, &got, sizeof(got)) != sizeof(got))
		return;
	if (got.ssi_signo == SIGTERM || got.ssi_signo == SIGHUP)
		r->session.leaving = true; /* nobody comes after */
	if (r->now.link.pidfd >= 0) {
		direct_forward(&r->now.link, (int)got.ssi_signo);
	} else if (r->session.leaving) {
		r->done = true;
		r->signo = (int)got.ssi_signo;
	}
}

static void
places_serve(struct relay *r, const struct pollfd *at, int signals)
{
	/* Answers first: what has been said is not asked again. */
	if (at[OUT].revents != 0)
		(void)worker_read(r);
	if (at[EDITOR_IN].revents != 0 && !r->done)
		editor_read(r);
	if (at[EDITOR_OUT].revents != 0)
		editor_write(r);
	if (at[IN].revents != 0 && r->now.in == at[IN].fd &&
	    r->session.to_worker.len > 0)
		worker_write(r);
	if (at[NEXT].revents != 0 && r->next.link.fd == at[NEXT].fd)
		replace_hear(r);
	if (at[SERVER].revents != 0 && r->now.link.fd == at[SERVER].fd &&
	    !r->done)
		server_hear(r);
	if (at[PIDFD].revents != 0 && r->now.link.fd < 0 &&
	    r->now.link.pidfd == at[PIDFD].fd && !r->done) {
		r->status = direct_orphan_status(&r->now.link, &r->signo);
		worker_ended(r);
	}
	if (at[SIGNALS].revents != 0)
		signal_hear(r, signals);
}

/* An end of the session, or of its output, that the process does not follow. */
static void
linger_tick(struct relay *r, uint64_t now_ms, int *wait_ms)
{
	uint64_t limit_ms =
	    r->session.leaving || r->editor_gone ? LINGER_MS : CORPSE_MS;

	if (r->editor_gone && r->session.to_worker.len == 0)
		fd_close(&r->now.in);
	if (r->closed_ms == 0 || r->lost || r->done)
		return;
	if (now_ms - r->closed_ms < limit_ms) {
		if (*wait_ms < 0 || *wait_ms > CORPSE_MS)
			*wait_ms = CORPSE_MS;
		return;
	}
	r->status = 1;
	replace_lost(r, "the worker has closed its output");
}

/* What is left for the editor, who may have stopped reading. */
static void
flush(struct relay *r)
{
	uint64_t until = clock_ms() + FLUSH_MS;
	struct pollfd out = { STDOUT_FILENO, POLLOUT, 0 };

	while (!r->editor_gone && r->session.to_editor.len > 0 &&
	       clock_ms() < until)
		if (poll(&out, 1, FLUSH_MS) > 0)
			editor_write(r);
}

static void
run(struct relay *r)
{
	struct pollfd at[PLACES];
	int signals = direct_signals();

	while (!r->done) {
		uint64_t now_ms = clock_ms();
		int wait_ms = -1;

		replace_tick(r, now_ms, &wait_ms);
		linger_tick(r, now_ms, &wait_ms);
		if (r->done)
			break;
		places_set(r, at, signals);
		if (poll(at, PLACES, wait_ms) > 0)
			places_serve(r, at, signals);
	}
	flush(r);
	fd_close(&signals);
}

int
relay_main(const struct command *command, const struct lease_order *order,
    const char *path)
{
	static struct relay r;
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	int rc;

	/* Who does not read any more is seen by the write that fails. */
	(void)sigaction(SIGPIPE, &ignore, NULL);
	memset(&r, 0, sizeof(r));
	r.command = command;
	r.order = order;
	(void)snprintf(r.path, sizeof(r.path), "%s", path);
	r.now = r.next =
	    (struct relay_worker){ { .fd = -1, .pidfd = -1 }, -1, -1 };
	r.first = true;
	rc = session_init(&r.session, relay_note);
	if (rc == 0)
		run(&r);
	rc = r.signo != 0 ? lease_end_by(r.signo) : r.rc;
	relay_worker_close(&r.now);
	relay_worker_close(&r.next);
	frame_fini(&r.from_editor);
	frame_fini(&r.from_worker);
	session_fini(&r.session);
	return rc;
}
