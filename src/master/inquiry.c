/*
 * inquiry.c - questions to workers, and their answers on the way to clients.
 */
#include "master/inquiry.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/record.h"
#include "ipc/board.h"
#include "master/control.h"
#include "master/master.h"

#define INQUIRIES_MAX 16
/* A worker that is busy longer than this is named instead. */
#define LIMIT_MS 10000
#define LOOK_S 0.1

struct inquiry {
	struct inquiries *all;
	struct control_client *client; /* NULL = free */
	struct pool *pool;             /* whose processes are asked */
	uint64_t token;
	enum rfk_ask_what what;
	uint64_t until_ms;
	ev_timer look; /* who has ended, and whose time is up */
	unsigned int asked, failed;
	pid_t mold;                 /* who has not answered; 0 = nobody */
	pid_t worker[RFK_ROWS_MAX]; /* likewise, by its row */
};

struct inquiries {
	struct master *master;
	bool gclog[RFK_POOLS_MAX][RFK_SLOTS_MAX];
	struct inquiry at[INQUIRIES_MAX];
};

static struct inquiries *
inquiries_of(struct master *m)
{
	size_t i;

	if (m->inquiries == NULL) {
		m->inquiries = calloc(1, sizeof(*m->inquiries));
		if (m->inquiries == NULL)
			return NULL;
		m->inquiries->master = m;
		for (i = 0; i < INQUIRIES_MAX; i++)
			m->inquiries->at[i].all = m->inquiries;
	}
	return m->inquiries;
}

static struct inquiry *
inquiry_of(struct inquiries *all, const struct control_client *client)
{
	size_t i;

	for (i = 0; all != NULL && i < INQUIRIES_MAX; i++)
		if (all->at[i].client == client)
			return &all->at[i];
	return NULL;
}

static void
drop(struct inquiry *q)
{
	ev_timer_stop(q->all->master->loop, &q->look);
	q->client = NULL;
	q->token = 0;
}

static unsigned int
outstanding(const struct inquiry *q)
{
	unsigned int n = q->mold != 0;
	size_t i;

	for (i = 0; i < RFK_ROWS_MAX; i++)
		n += q->worker[i] != 0;
	return n;
}

/* The end, when nobody is left to answer. */
static void
conclude(struct inquiry *q)
{
	struct control_client *client = q->client;
	char text[128] = "";

	if (client == NULL || outstanding(q) > 0)
		return;
	if (q->failed > 0)
		(void)snprintf(text, sizeof(text), "%u of %u did not do it",
		    q->failed, q->asked);
	else if (q->what == RFK_ASK_GCLOG_ON || q->what == RFK_ASK_GCLOG_OFF)
		(void)snprintf(text, sizeof(text),
		    "the log of collections is %s in %u worker%s",
		    q->what == RFK_ASK_GCLOG_ON ? "on" : "off", q->asked,
		    q->asked == 1 ? "" : "s");
	drop(q);
	control_end(client, q->failed > 0, text);
}

/* Who has not done it, and why. */
static void
say_silent(struct inquiry *q, const struct child *child, const char *why)
{
	struct buf line = BUF_INIT;
	const char *text;

	q->failed++;
	(void)record_begin(&line, "silent");
	(void)record_text(&line, "role", child != NULL ? "worker" : "mold");
	if (child != NULL)
		(void)record_count(&line, "slot", child->slot);
	(void)record_text(&line, "why", why);
	text = buf_cstr(&line);
	if (text != NULL)
		control_say(q->client, "%s", text);
	buf_fini(&line);
}

static void
say_late(struct inquiry *q, const struct child *child)
{
	struct board_view row;
	char why[256];

	child_row(child, &row);
	if (row.work == RFK_WORK_BUSY && row.unit_ms != 0)
		(void)snprintf(why, sizeof(why),
		    "no answer in %d s: busy since %.1f s with %s %s",
		    LIMIT_MS / 1000, (double)(clock_ms() - row.unit_ms) / 1e3,
		    row.method, row.path);
	else
		(void)snprintf(
		    why, sizeof(why), "no answer in %d s", LIMIT_MS / 1000);
	say_silent(q, child, why);
}

/* A row may have another process by now: it is known by its pid. */
static void
on_look(struct ev_loop *loop, ev_timer *timer, int revents)
{
	struct inquiry *q = timer->data;
	struct pool *pool = q->pool;
	const bool is_over = clock_ms() >= q->until_ms;
	size_t i;

	(void)loop;
	(void)revents;
	for (i = 0; i < RFK_ROWS_MAX; i++) {
		const struct child *child = &pool->children[i];

		if (q->worker[i] == 0)
			continue;
		if (child->process.pid != q->worker[i] ||
		    child->process.chan == NULL)
			say_silent(q, child, "it has ended");
		else if (is_over)
			say_late(q, child);
		else
			continue;
		q->worker[i] = 0;
	}
	if (q->mold != 0 && (is_over || pool->mold == NULL ||
				pool->mold->process.pid != q->mold)) {
		say_silent(q, NULL, is_over ? "no answer" : "it has ended");
		q->mold = 0;
	}
	conclude(q);
}

static void
ask_child(struct inquiry *q, struct child *child, const struct rfk_ask *ask)
{
	if (child_ask(child, ask) < 0)
		return;
	q->worker[child->row] = child->process.pid;
	q->asked++;
}

/* Also for workers that are still to come. */
static void
remember_gclog(struct inquiries *all, const struct pool *pool,
    enum rfk_ask_what what, uint32_t slot)
{
	uint32_t i;

	if (what != RFK_ASK_GCLOG_ON && what != RFK_ASK_GCLOG_OFF)
		return;
	for (i = 0; i < RFK_SLOTS_MAX; i++)
		if (slot == UINT32_MAX || slot == i)
			all->gclog[pool->index][i] = what == RFK_ASK_GCLOG_ON;
}

static void
ask_all(struct inquiry *q, const struct rfk_ask *ask, uint32_t slot)
{
	struct pool *pool = q->pool;
	uint32_t i;

	for (i = 0; i < pool->slots; i++) {
		struct child *child = pool_serving(pool, i);

		if (child != NULL && (slot == UINT32_MAX || slot == i))
			ask_child(q, child, ask);
	}
	if (slot == UINT32_MAX &&
	    (q->what == RFK_ASK_STATISTICS || q->what == RFK_ASK_PAGES) &&
	    moldlink_usable(pool->mold) && moldlink_ask(pool->mold, ask) == 0) {
		q->mold = pool->mold->process.pid;
		q->asked++;
	}
}

void
inquiry_begin(struct control_client *client, struct pool *pool,
    enum rfk_ask_what what, uint32_t slot)
{
	struct master *m = control_master(client);
	struct inquiries *all = inquiries_of(m);
	struct inquiry *q = inquiry_of(all, NULL);
	struct rfk_ask ask = { .what = (uint32_t)what };

	if (q == NULL) {
		control_end(client, 1, "too many such questions at once");
		return;
	}
	q->client = client;
	q->pool = pool;
	q->what = what;
	q->asked = q->failed = 0;
	q->mold = 0;
	memset(q->worker, 0, sizeof(q->worker));
	q->token = ask.token = master_token(m);
	q->until_ms = clock_ms() + LIMIT_MS;
	ev_timer_init(&q->look, on_look, LOOK_S, LOOK_S);
	q->look.data = q;
	ask_all(q, &ask, slot);
	if (q->asked == 0) {
		drop(q);
		control_end(client, 1,
		    slot == UINT32_MAX ? "no worker serves"
				       : "no worker serves in that slot");
		return;
	}
	remember_gclog(all, pool, what, slot);
	ev_timer_start(m->loop, &q->look);
}

void
inquiry_forget(struct control_client *client)
{
	struct inquiry *q =
	    inquiry_of(control_master(client)->inquiries, client);

	if (q != NULL)
		drop(q);
}

/*
 * A worker runs application code: whatever its lines hold, they are printable
 * here, and begin with a kind and then with what the master knows.
 */
static void
pass_on(struct inquiry *q, const char *who, const struct rfk_msg *msg)
{
	const char *p = msg->tail;
	const char *const end = p + msg->tail_len;

	while (p < end) {
		const char *stop = memchr(p, '\n', (size_t)(end - p));
		size_t len = (size_t)((stop != NULL ? stop : end) - p);
		char line[4096];
		size_t i, kind;

		if (len >= sizeof(line))
			len = sizeof(line) - 1;
		for (i = 0; i < len; i++)
			line[i] = p[i] > 0x1f && p[i] < 0x7f ? p[i] : '?';
		line[len] = '\0';
		kind = strcspn(line, " ");
		if (kind > 0 && kind < 32 && strncmp(line, "end", 3) != 0)
			control_say(q->client, "%.*s %s%s", (int)kind, line,
			    who, line + kind);
		if (stop == NULL)
			break;
		p = stop + 1;
	}
	control_flush(q->client);
}

static struct inquiry *
inquiry_by_token(struct inquiries *all, uint64_t token)
{
	size_t i;

	for (i = 0; all != NULL && token != 0 && i < INQUIRIES_MAX; i++)
		if (all->at[i].client != NULL && all->at[i].token == token)
			return &all->at[i];
	return NULL;
}

void
inquiry_child_answers(struct child *child, const struct rfk_msg *msg)
{
	const struct rfk_ask *answer = &msg->u.answer;
	struct inquiry *q =
	    inquiry_by_token(child->pool->master->inquiries, answer->token);
	char text[256];

	if (q == NULL || q->pool != child->pool ||
	    q->worker[child->row] != child->process.pid)
		return; /* late, or nobody waits */
	if (answer->rc < 0) {
		(void)snprintf(text, sizeof(text), "%.*s", (int)msg->tail_len,
		    msg->tail != NULL ? msg->tail : "");
		say_silent(q, child, text);
	} else {
		(void)snprintf(text, sizeof(text),
		    "role=worker slot=%" PRIu32 " pid=%d generation=%" PRIu32,
		    child->slot, (int)child->process.pid, child->generation);
		pass_on(q, text, msg);
	}
	if (answer->more != 0 && answer->rc >= 0)
		return;
	q->worker[child->row] = 0;
	conclude(q);
}

void
inquiry_mold_answers(struct moldlink *mold, const struct rfk_msg *msg)
{
	struct inquiry *q = inquiry_by_token(
	    mold->pool->master->inquiries, msg->u.answer.token);
	char text[128];

	if (q == NULL || q->pool != mold->pool || q->mold != mold->process.pid)
		return;
	(void)snprintf(text, sizeof(text),
	    "role=mold pid=%d generation=%" PRIu32, (int)mold->process.pid,
	    mold->generation);
	pass_on(q, text, msg);
	if (msg->u.answer.more != 0)
		return;
	q->mold = 0;
	conclude(q);
}

void
inquiry_child_ready(struct child *child)
{
	const struct inquiries *all = child->pool->master->inquiries;
	struct rfk_ask ask = { .what = RFK_ASK_GCLOG_ON };

	if (all != NULL && all->gclog[child->pool->index][child->slot])
		(void)child_ask(child, &ask);
}

/* Its processes have ended before it: nobody is left to ask. */
void
inquiry_pool_gone(struct pool *pool)
{
	struct inquiries *all = pool->master->inquiries;
	size_t i;

	if (all == NULL)
		return;
	memset(all->gclog[pool->index], 0, sizeof(all->gclog[0]));
	for (i = 0; i < INQUIRIES_MAX; i++) {
		struct inquiry *q = &all->at[i];

		if (q->client == NULL || q->pool != pool)
			continue;
		memset(q->worker, 0, sizeof(q->worker));
		q->mold = 0;
		q->failed++;
		conclude(q);
	}
}

void
inquiry_close(struct master *m)
{
	size_t i;

	for (i = 0; m->inquiries != NULL && i < INQUIRIES_MAX; i++)
		if (m->inquiries->at[i].client != NULL)
			drop(&m->inquiries->at[i]);
	free(m->inquiries);
	m->inquiries = NULL;
}
