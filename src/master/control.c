/*
 * control.c - the control socket and its clients.
 *
 * One request of a client's at a time: the next line is looked at when the
 * answer to the last one has been sent, so that a client that does not read
 * makes no work. A verb only appends to the client's output and never frees the
 * client; freeing happens in the client's own watchers and in control_close.
 */
#include "master/control.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/sockpath.h"
#include "master/door.h"
#include "master/line.h"
#include "master/master.h"

#define CLIENTS_MAX 16
/* All rows of a full board are half of it. */
#define OUT_MAX (1u << 20)
#define IDLE_S 10.0

struct control_client {
	struct control *control;
	int fd; /* -1 = free */
	ev_io io;
	ev_timer idle;
	bool busy;     /* a verb has not ended */
	bool half;     /* it will send nothing more */
	bool overflow; /* output was lost: of no use any more */
	struct control_wait waits;
	char who[64];
	struct buf out;
	size_t in_len;
	char in[LINE_MAX_BYTES];
};

struct control {
	struct master *master;
	struct door door;
	struct control_client clients[CLIENTS_MAX];
};

/* Clients */

static void
client_close(struct control_client *c)
{
	struct ev_loop *loop = c->control->master->loop;

	if (c->busy)
		verbs_gone(c);
	c->busy = false;
	ev_io_stop(loop, &c->io);
	ev_timer_stop(loop, &c->idle);
	fd_close(&c->fd);
	buf_fini(&c->out);
}

/* Sends what the socket takes: 0, or -errno when the client has gone. */
static int
client_flush(struct control_client *c)
{
	while (c->out.len > 0) {
		ssize_t n = send(c->fd, c->out.data, c->out.len,
		    MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		buf_drop(&c->out, (size_t)n);
		ev_timer_again(c->control->master->loop, &c->idle);
	}
	return 0;
}

/* A whole line is there: 1; -EPROTO when it is too long, which is answered. */
static int
client_line(struct control_client *c)
{
	int len = line_length(c->in, c->in_len);

	if (len < 0) {
		control_end(c, 1, "the request is too long");
		c->in_len = 0;
		c->half = true;
	}
	return len < 0 ? len : len > 0;
}

static void
client_run(struct control_client *c)
{
	char line[LINE_MAX_BYTES];
	size_t len = (size_t)line_length(c->in, c->in_len);

	memcpy(line, c->in, len);
	memmove(c->in, c->in + len, c->in_len - len);
	c->in_len -= len;
	line_close(line, len);
	c->busy = true;
	verbs_run(c, line);
}

/*
 * Watches for what can be done next. Further lines wait for the next turn of
 * the loop even when all could be answered now: others have work too.
 */
static void
client_watch(struct control_client *c)
{
	struct ev_loop *loop = c->control->master->loop;
	int events = 0;

	if (!c->half && c->in_len < sizeof(c->in))
		events |= EV_READ;
	if (c->out.len > 0 || (!c->busy && line_length(c->in, c->in_len) > 0))
		events |= EV_WRITE;
	ev_io_stop(loop, &c->io);
	ev_io_set(&c->io, c->fd, events);
	if (events != 0)
		ev_io_start(loop, &c->io);
	/* Who waits for an outcome may be idle. */
	if (c->busy && c->out.len == 0)
		ev_timer_stop(loop, &c->idle);
	else if (!ev_is_active(&c->idle))
		ev_timer_again(loop, &c->idle);
}

static void
client_step(struct control_client *c)
{
	if (!c->busy && c->out.len == 0 && client_line(c) > 0)
		client_run(c);
	if (c->overflow || client_flush(c) < 0) {
		client_close(c);
		return;
	}
	if (c->half && !c->busy && c->out.len == 0 &&
	    line_length(c->in, c->in_len) <= 0)
		client_close(c);
	else
		client_watch(c);
}

/* EOF is a promise to send no more; only a hangup means that it has gone. */
static bool
client_has_gone(const struct control_client *c)
{
	struct pollfd p = { .fd = c->fd, .events = 0 };

	return poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR)) != 0;
}

static void
on_client(struct ev_loop *loop, ev_io *io, int events)
{
	struct control_client *c = io->data;
	ssize_t n;

	if ((events & EV_READ) != 0) {
		n = recv(c->fd, c->in + c->in_len, sizeof(c->in) - c->in_len,
		    MSG_DONTWAIT);
		if (n > 0) {
			c->in_len += (size_t)n;
			ev_timer_again(loop, &c->idle);
		} else if (n == 0 && !client_has_gone(c)) {
			c->half = true;
		} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
			client_close(c);
			return;
		}
	}
	client_step(c);
}

static void
on_idle(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)events;
	client_close(timer->data);
}

/* Entering */

static struct control_client *
client_free_one(struct control *control)
{
	size_t i;

	for (i = 0; i < CLIENTS_MAX; i++)
		if (control->clients[i].fd < 0)
			return &control->clients[i];
	return NULL;
}

static void
client_open(struct control_client *c, int take_fd, const char *who)
{
	struct control *control = c->control;

	memset(c, 0, sizeof(*c));
	c->control = control;
	c->fd = take_fd;
	(void)snprintf(c->who, sizeof(c->who), "%s", who);
	ev_io_init(&c->io, on_client, c->fd, EV_READ);
	c->io.data = c;
	ev_timer_init(&c->idle, on_idle, 0., IDLE_S);
	c->idle.data = c;
	client_watch(c);
}

static void
on_enter(void *owner, int take_fd, const struct ucred *peer)
{
	struct control_client *c = client_free_one(owner);
	char who[sizeof(c->who)];

	(void)snprintf(who, sizeof(who), "asked by reforkctl, uid %u pid %d",
	    (unsigned int)peer->uid, (int)peer->pid);
	if (c != NULL)
		client_open(c, take_fd, who);
	else
		door_refuse(take_fd, "end 1 too many clients\n");
}

struct control_client *
control_client_resume(struct control *control, int take_fd, const char *who)
{
	struct control_client *c = client_free_one(control);

	(void)fd_cloexec(take_fd, true);
	client_open(c, take_fd, who);
	c->busy = true;
	client_watch(c);
	return c;
}

/* The whole */

struct control *
control_open(struct master *m, const char *path, int take_fd, struct fail *why)
{
	struct control *control = calloc(1, sizeof(*control));
	size_t i;

	if (control == NULL) {
		(void)fail_set(why, ENOMEM, "no memory");
		return NULL;
	}
	control->master = m;
	for (i = 0; i < CLIENTS_MAX; i++) {
		control->clients[i].fd = -1;
		control->clients[i].control = control;
	}
	if (take_fd >= 0) {
		door_resume(&control->door, take_fd, path, &door_of_control);
	} else if (door_open(&control->door, path, CLIENTS_MAX,
		       &door_of_control, why) < 0) {
		free(control);
		return NULL;
	}
	door_watch(&control->door, m->loop, on_enter, control);
	return control;
}

void
control_close(struct control *control)
{
	size_t i;

	if (control == NULL)
		return;
	for (i = 0; i < CLIENTS_MAX; i++) {
		if (control->clients[i].fd < 0)
			continue;
		(void)client_flush(&control->clients[i]);
		client_close(&control->clients[i]);
	}
	door_close(&control->door);
	free(control);
}

void
control_aside(struct control *control, bool aside)
{
	if (control != NULL)
		door_aside(&control->door, aside);
}

const char *
control_path(const struct control *control)
{
	return control->door.path;
}

/* For verbs.c and status.c */

static void
client_put(struct control_client *c, const char *bytes, size_t len)
{
	if (c->out.len + len > OUT_MAX || buf_put(&c->out, bytes, len) < 0)
		c->overflow = true;
}

void
control_say(struct control_client *c, const char *fmt, ...)
{
	va_list ap;
	char *text;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0) {
		c->overflow = true;
		return;
	}
	client_put(c, text, (size_t)n);
	client_put(c, "\n", 1);
	free(text);
}

/* A client that has gone is noticed by its watcher. */
void
control_flush(struct control_client *c)
{
	(void)client_flush(c);
	client_watch(c);
}

void
control_end(struct control_client *c, int rc, const char *why)
{
	struct fail text = FAIL_INIT;
	char *p;

	(void)snprintf(text.text, sizeof(text.text), "end %d%s%s", rc,
	    why != NULL && *why != '\0' ? " " : "", why != NULL ? why : "");
	for (p = text.text; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = ' ';
	client_put(c, text.text, strlen(text.text));
	client_put(c, "\n", 1);
	c->busy = false;
	client_watch(c);
}

int
control_fd(const struct control *control)
{
	return control->door.fd;
}

int
control_client_fd(const struct control_client *c)
{
	return c->fd;
}

struct master *
control_master(struct control_client *c)
{
	return c->control->master;
}

const char *
control_who(const struct control_client *c)
{
	return c->who;
}

struct control_wait *
control_waits(struct control_client *c)
{
	return &c->waits;
}
