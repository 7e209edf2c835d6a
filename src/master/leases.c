/*
 * leases.c - the lease socket and its clients.
 *
 * A client is freed in its own watcher and in leases_close only: whoever finds
 * in the middle of something else that it is lost marks it.
 */
#include "master/leases.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/rights.h"
#include "master/master.h"

#define CLIENTS_MAX 600u
#define BACKLOG 1024
/* Messages that a client has not read. */
#define QUEUE_MAX 64u
/* Of one client in one turn of the loop: others have work, too. */
#define TURN_MAX 16

struct lease_message {
	struct lease_message *next;
	size_t len;
	int nfds;
	int fds[LEASELINE_FDS_MAX];
	char bytes[];
};

static void
client_watch(struct lease_client *c)
{
	struct ev_loop *loop = c->leases->master->loop;

	ev_io_stop(loop, &c->io);
	ev_io_set(&c->io, c->fd, EV_READ | (c->first != NULL ? EV_WRITE : 0));
	ev_io_start(loop, &c->io);
}

static void
client_lose(struct lease_client *c)
{
	c->lost = true;
	ev_feed_event(c->leases->master->loop, &c->io, EV_READ);
}

static void
client_close(struct lease_client *c)
{
	struct leases *leases = c->leases;

	lease_abandon(leases, c);
	while (c->first != NULL) {
		struct lease_message *m = c->first;

		c->first = m->next;
		rights_close(m->fds, m->nfds);
		free(m);
	}
	ev_io_stop(leases->master->loop, &c->io);
	fd_close(&c->fd);
	TAILQ_REMOVE(&leases->clients, c, link);
	leases->nclients--;
	free(c);
}

/* Saying */

static int
client_flush(struct lease_client *c)
{
	while (c->first != NULL) {
		struct lease_message *m = c->first;
		int rc = rights_send(c->fd, m->bytes, m->len, m->fds, m->nfds);

		if (rc < 0)
			return rc == -EAGAIN ? 0 : rc;
		c->first = m->next;
		if (c->first == NULL)
			c->last = &c->first;
		c->queued--;
		rights_close(m->fds, m->nfds);
		free(m);
	}
	return 0;
}

/* Owns the descriptors when it returns 0. */
static int
client_queue(
    struct lease_client *c, const struct buf *text, const int *fds, int nfds)
{
	struct lease_message *m;

	if (c->queued >= QUEUE_MAX)
		return -ENOBUFS;
	m = malloc(sizeof(*m) + text->len);
	if (m == NULL)
		return -ENOMEM;
	m->next = NULL;
	m->len = text->len;
	m->nfds = nfds;
	memcpy(m->bytes, text->data, text->len);
	if (nfds > 0)
		memcpy(m->fds, fds, (size_t)nfds * sizeof(int));
	*c->last = m;
	c->last = &m->next;
	c->queued++;
	client_watch(c);
	return 0;
}

void
leases_say(
    struct lease_client *c, const struct buf *text, int *take_fds, int nfds)
{
	int rc = -EPIPE;

	if (c != NULL && !c->lost) {
		rc = c->first != NULL ? -EAGAIN
				      : rights_send(c->fd, text->data,
					    text->len, take_fds, nfds);
		if (rc == -EAGAIN) {
			rc = client_queue(c, text, take_fds, nfds);
			if (rc == 0)
				return;
		}
		if (rc < 0) {
			log_warn("lease: the client pid=%d is dropped: %s",
			    (int)c->pid,
			    rc == -ENOBUFS ? "it reads no answers"
					   : strerror(-rc));
			client_lose(c);
		}
	}
	rights_close(take_fds, nfds);
}

void
leases_refuse(
    struct lease_client *c, const char *code, uint64_t id, const char *fmt, ...)
{
	struct buf text = BUF_INIT;
	char why[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	if (record_begin(&text, "ERR") == 0 &&
	    record_text(&text, "code", code) == 0 &&
	    (id == 0 || record_count(&text, "id", id) == 0) &&
	    record_text(&text, "text", why) == 0)
		leases_say(c, &text, NULL, 0);
	buf_fini(&text);
}

/* Hearing */

static void
client_obey(struct lease_client *c, char *bytes, size_t len, int *fds, int nfds)
{
	struct fail why = FAIL_INIT;
	struct leaseline line;

	if (leaseline_parse(&line, bytes, len, nfds, LEASELINE_CLIENT, &why) <
	    0) {
		leases_refuse(c, "protocol", 0, "%s", why.text);
		rights_close(fds, nfds);
		return;
	}
	switch (line.verb) {
	case LEASELINE_LEASE:
		lease_take(c, &line, fds, nfds);
		break;
	case LEASELINE_SIGNAL:
		lease_signal(c, &line);
		break;
	case LEASELINE_RELEASE:
		lease_release(c, &line);
		break;
	case LEASELINE_STAT:
		lease_stat(c, &line);
		break;
	default:
		leases_refuse(c, "protocol", 0, "%s is not for this server",
		    leaseline_name(line.verb));
		break;
	}
}

/* One message: false when the client is to be closed, or has said all. */
static bool
client_hear(struct lease_client *c)
{
	char bytes[LEASELINE_MAX + 1];
	int fds[RIGHTS_MAX];
	int nfds;
	ssize_t n = rights_recv(c->fd, bytes, LEASELINE_MAX, fds, &nfds);

	if (n == -EAGAIN)
		return false;
	if (n == -EPROTO) {
		rights_close(fds, nfds);
		leases_refuse(c, "protocol", 0,
		    "the message was cut: %d bytes and %d descriptors at "
		    "most, and the master must have room for them",
		    LEASELINE_MAX - 1, LEASELINE_FDS_MAX);
		return true;
	}
	if (n <= 0) {
		rights_close(fds, nfds);
		c->lost = true;
		return false;
	}
	client_obey(c, bytes, (size_t)n, fds, nfds);
	return !c->lost;
}

static void
on_client(struct ev_loop *loop, ev_io *io, int events)
{
	struct lease_client *c = io->data;
	int i;

	(void)loop;
	if (!c->lost && (events & EV_WRITE) != 0)
		c->lost = client_flush(c) < 0;
	for (i = 0; !c->lost && (events & EV_READ) != 0 && i < TURN_MAX; i++)
		if (!client_hear(c))
			break;
	if (c->lost)
		client_close(c);
	else
		client_watch(c);
}

static void
on_enter(void *owner, int take_fd, const struct ucred *peer)
{
	struct leases *leases = owner;
	struct lease_client *c = NULL;

	if (leases->nclients < CLIENTS_MAX)
		c = calloc(1, sizeof(*c));
	if (c == NULL) {
		door_refuse(
		    take_fd, "ERR code=limit text=too%20many%20clients");
		return;
	}
	c->leases = leases;
	c->fd = take_fd;
	c->pid = peer->pid;
	c->last = &c->first;
	TAILQ_INSERT_TAIL(&leases->clients, c, link);
	leases->nclients++;
	ev_io_init(&c->io, on_client, c->fd, EV_READ);
	c->io.data = c;
	client_watch(c);
}

/* The whole */

struct leases *
leases_open(struct master *m, const char *path, struct fail *why)
{
	struct leases *leases = calloc(1, sizeof(*leases));

	if (leases == NULL) {
		(void)fail_set(why, ENOMEM, "no memory");
		return NULL;
	}
	leases->master = m;
	TAILQ_INIT(&leases->list);
	TAILQ_INIT(&leases->clients);
	if (door_open(&leases->door, path, BACKLOG, &door_of_leases, why) < 0) {
		free(leases);
		return NULL;
	}
	door_watch(&leases->door, m->loop, on_enter, leases);
	return leases;
}

void
leases_close(struct leases *leases)
{
	struct lease_client *c, *c_next;
	struct lease *l, *l_next;

	if (leases == NULL)
		return;
	for (c = TAILQ_FIRST(&leases->clients); c != NULL; c = c_next) {
		c_next = TAILQ_NEXT(c, link);
		(void)client_flush(c);
		client_close(c);
	}
	for (l = TAILQ_FIRST(&leases->list); l != NULL; l = l_next) {
		l_next = TAILQ_NEXT(l, link);
		lease_free(l);
	}
	door_close(&leases->door);
	free(leases);
}

const char *
leases_path(const struct leases *leases)
{
	return leases->door.path;
}
