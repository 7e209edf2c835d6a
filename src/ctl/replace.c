/*
 * replace.c - one worker after the other. The next one is leased while the old
 * one serves, or, after a death, while the editor's words are kept.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/rights.h"
#include "ctl/relay.h"

#define MINUTE_MS 60000
#define RETRY_MS 200
/* For one that died: as long as a server's restart may take. */
#define PATIENCE_MS 15000
/* Answers of the old one are waited for so long before a swap. */
#define SWAP_MS 5000
/* A new one's word that it has read the documents. */
#define SETTLE_MS 15000

void
relay_worker_close(struct relay_worker *w)
{
	fd_close(&w->in);
	fd_close(&w->out);
	direct_close(&w->link);
}

/* How many of the last were within a minute. */
static int
recent(const struct relay *r, uint64_t now_ms)
{
	int i, n = 0;

	for (i = 0; i < RELAY_REPLACED_MAX; i++)
		if (r->replaced_ms[i] != 0 &&
		    now_ms - r->replaced_ms[i] < MINUTE_MS)
			n++;
	return n;
}

/* Asks for a worker; its answer comes to replace_hear. */
static int
ask(struct relay *r, struct fail *why)
{
	static const int fds[3] = { -1, -1, STDERR_FILENO };
	int rc = direct_connect(&r->next.link, r->path, why);

	if (rc < 0 && (r->lost || r->first)) {
		/* Another server than the one that was, perhaps. */
		fd_close(&r->next.link.fd);
		memset(why, 0, sizeof(*why));
		rc = launch_find(
		    r->command, r->order, r->path, sizeof(r->path), why);
		if (rc == 0)
			rc = direct_connect(&r->next.link, r->path, why);
	}
	if (rc == 0)
		rc = direct_ask(&r->next.link, r->order, fds, why);
	return rc;
}

/* None this time: tried again, or, without any, the end. */
static void
refused(struct relay *r, const char *text)
{
	uint64_t now_ms = clock_ms();

	relay_worker_close(&r->next);
	if (r->first ||
	    (r->lost && (now_ms >= r->until_ms || r->session.leaving))) {
		relay_end(r, LEASE_EXIT_UNAVAILABLE, text);
		return;
	}
	r->retry_ms = now_ms + RETRY_MS;
	if (r->lost || now_ms < r->until_ms)
		return;
	r->wanted = false;
	relay_say("the worker %ld stays: %s", (long)r->now.link.pid, text);
}

static void
begin(struct relay *r)
{
	struct fail why = FAIL_INIT;

	if (ask(r, &why) < 0)
		refused(r, why.text);
}

static bool
is_asking(const struct relay *r)
{
	return r->next.link.fd >= 0;
}

static bool
is_ready(const struct relay *r)
{
	return r->next.in >= 0;
}

/* The old one ends with its connection. */
static void
swap(struct relay *r, uint64_t now_ms)
{
	struct session *s = &r->session;
	int rc = 0;

	if (!r->first) {
		memmove(r->replaced_ms + 1, r->replaced_ms,
		    sizeof(r->replaced_ms) - sizeof(r->replaced_ms[0]));
		r->replaced_ms[0] = now_ms;
		rc = r->lost ? 0 : session_lose_worker(s);
		if (rc == 0)
			rc = session_take_worker(s);
		relay_say("the worker %ld of generation %llu takes over, with "
			  "%zu open documents",
		    (long)r->next.link.pid,
		    (unsigned long long)r->next.link.generation,
		    s->documents.n);
	}
	relay_worker_close(&r->now);
	frame_fini(&r->from_worker);
	r->now = r->next;
	r->next = (struct relay_worker){ { .fd = -1, .pidfd = -1 }, -1, -1 };
	r->lost = r->wanted = r->ends = r->first = false;
	r->generation = r->now.link.generation; /* another server's, perhaps */
	r->closed_ms = 0;
	r->status = r->signo = 0;
	if (rc < 0)
		relay_end(r, LEASE_EXIT_RELAY, strerror(-rc));
}

void
replace_lost(struct relay *r, const char *text)
{
	uint64_t now_ms = clock_ms();

	relay_worker_close(&r->now);
	if (r->session.leaving || r->editor_gone ||
	    !session_has_begun(&r->session)) {
		(void)session_give_up(&r->session, text);
		r->done = true;
		r->rc = r->status;
		return;
	}
	if (recent(r, now_ms) == RELAY_REPLACED_MAX) {
		relay_say("%s; it is the third worker within a minute", text);
		relay_end(r, LEASE_EXIT_RELAY,
		    "the language server's workers end again and again");
		return;
	}
	relay_say("%s", text);
	r->lost = true;
	r->until_ms = now_ms + PATIENCE_MS;
	if (session_lose_worker(&r->session) < 0)
		relay_end(r, LEASE_EXIT_RELAY, strerror(ENOMEM));
	else if (!is_asking(r))
		begin(r);
}

void
replace_want(struct relay *r, uint64_t generation)
{
	if (generation == 0) {
		/* Whoever comes is better than this one's end. */
		r->ends = true;
		r->generation = 0;
	} else if (generation > r->generation) {
		r->generation = generation;
	}
	if (r->wanted || r->lost)
		return;
	r->wanted = true;
	r->retry_ms = 0;
	r->until_ms = clock_ms() + PATIENCE_MS;
}

void
replace_hear(struct relay *r)
{
	char bytes[LEASELINE_MAX + 1];
	struct fail why = FAIL_INIT;
	struct leaseline line;
	int fds[RIGHTS_MAX], nfds, pipes[2] = { -1, -1 };
	int rc = direct_hear(r->next.link.fd, &line, bytes, fds, &nfds, &why);

	if (rc <= 0) {
		refused(r, rc < 0 ? why.text : "the server has gone");
		return;
	}
	if (line.verb != LEASELINE_LEASED) {
		rights_close(fds, nfds);
		if (line.verb == LEASELINE_ERR)
			refused(r, leaseline_text(&line, "text"));
		else if (line.verb == LEASELINE_EXITED)
			refused(r, "the new worker ended at once");
		return;
	}
	direct_take(&r->next.link, &line, fds, nfds, pipes);
	r->next.in = pipes[0];
	r->next.out = pipes[1];
	if (pipes[0] < 0 || fd_nonblock(pipes[0], true) < 0 ||
	    fd_nonblock(pipes[1], true) < 0) {
		refused(r, "a worker without pipes");
	} else if (!r->lost && !r->first &&
		   r->next.link.generation < r->generation) {
		/* The spares of the older generation have not ended yet. */
		refused(r, "no worker of the new generation");
	} else {
		r->until_ms = clock_ms() + SWAP_MS;
	}
}

static void
wait_less(int *wait_ms, uint64_t due_ms, uint64_t now_ms)
{
	int left = due_ms > now_ms ? (int)(due_ms - now_ms) : 0;

	if (*wait_ms < 0 || left < *wait_ms)
		*wait_ms = left;
}

/* A server that does not answer what it does not know is asked all the same. */
static void
settle_tick(struct relay *r, uint64_t now_ms, int *wait_ms)
{
	if (!r->session.settling) {
		r->told_ms = 0;
		return;
	}
	if (r->told_ms == 0)
		r->told_ms = now_ms;
	if (now_ms - r->told_ms < SETTLE_MS) {
		wait_less(wait_ms, r->told_ms + SETTLE_MS, now_ms);
		return;
	}
	relay_say("the worker %ld does not answer an unknown method: it may "
		  "not have read the documents yet",
	    (long)r->now.link.pid);
	if (session_settle(&r->session) < 0)
		relay_end(r, LEASE_EXIT_RELAY, strerror(ENOMEM));
}

void
replace_tick(struct relay *r, uint64_t now_ms, int *wait_ms)
{
	bool needed = r->lost || r->first;
	/* Not for an editor that is about to leave. */
	bool wanted = r->wanted && !r->session.leaving && !r->editor_gone;

	settle_tick(r, now_ms, wait_ms);
	if (is_ready(r)) {
		if (needed || session_is_idle(&r->session) ||
		    now_ms >= r->until_ms)
			swap(r, now_ms);
		else
			wait_less(wait_ms, r->until_ms, now_ms);
		return;
	}
	if (is_asking(r) || !(needed || wanted))
		return;
	/* One of the two is kept for a death. */
	if (!needed && !r->ends && recent(r, now_ms) > 0) {
		r->until_ms = now_ms + PATIENCE_MS;
		wait_less(wait_ms, r->replaced_ms[0] + MINUTE_MS, now_ms);
	} else if (now_ms < r->retry_ms) {
		wait_less(wait_ms, r->retry_ms, now_ms);
	} else {
		begin(r);
		*wait_ms = 0;
	}
}
