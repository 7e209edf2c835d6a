#include "master/notify.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "master/master.h"

/* While something takes long: every 2 s, that 10 s more are wanted. */
#define EXTEND_EVERY_S 2.0
#define EXTEND_TEXT "EXTEND_TIMEOUT_USEC=10000000"

/* --- the datagram ------------------------------------------------------ */

static int
transmit(const char *address, const char *text)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t len = strlen(address);
	int fd, rc = 0;

	memcpy(to.sun_path, address, len);
	if (address[0] == '@')
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 ||
	    sendto(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT,
		(const struct sockaddr *)&to,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0)
		rc = -errno;
	fd_close(&fd);
	return rc;
}

static void
say(struct master *m, const char *text)
{
	struct notify *n = &m->notify;
	int rc = transmit(n->socket, text);

	if (rc < 0 && !n->failed)
		log_warn("NOTIFY_SOCKET=%s: %s", n->socket, strerror(-rc));
	n->failed = rc < 0;
}

/* --- the status -------------------------------------------------------- */

/* systemd drops what is no UTF-8, and a newline would begin another field. */
static void
make_plain(char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || (unsigned char)*text > 0x7e)
			*text = '?';
}

static void
status_text(struct master *m, char *out, size_t cap)
{
	struct pool *p = &m->pool;
	const char *last = p->succession.last_text;
	uint32_t serving =
	    pool_count(p, LIFE_SERVING) + pool_count(p, LIFE_MOLDING);

	if (m->phase == MASTER_BOOTING)
		snprintf(out, cap, "booting");
	else if (m->phase >= MASTER_STOPPING)
		snprintf(out, cap, "stopping, %u workers left", pool_alive(p));
	else
		snprintf(out, cap, "%u of %u workers, generation %u%s%.160s",
		    serving, p->wanted, p->generation,
		    last[0] != '\0' ? "; " : "", last);
	make_plain(out);
}

/* True: it has changed. */
static bool
status_look(struct master *m)
{
	struct notify *n = &m->notify;
	char text[sizeof(n->status)];

	status_text(m, text, sizeof(text));
	if (strcmp(text, n->status) == 0)
		return false;
	memcpy(n->status, text, sizeof(text));
	return true;
}

/* --- what is, against what was said ------------------------------------ */

static bool
reloads(const struct master *m)
{
	const struct succession *s = &m->pool.succession;

	return restart_under_way(m) ||
	       (s->stage != SUCCESSION_NONE && s->kind == SUCCESSION_RELOAD) ||
	       (s->queued && s->queued_kind == SUCCESSION_RELOAD);
}

/* Each of these has a limit of ours, so that it is not extended for ever. */
static bool
takes_long(const struct master *m)
{
	const struct rfk_settings_table *s = &m->pool.settings;

	if (m->phase >= MASTER_STOPPING || m->notify.said == NOTIFY_RELOADING)
		return true;
	return !m->is_ready &&
	       clock_ms() - m->started_ms <
		   2 * (uint64_t)s->boot_timeout + (uint64_t)s->spawn_timeout;
}

static void
extend_look(struct master *m)
{
	ev_timer *extend = &m->notify.extend;
	bool is_long = takes_long(m);

	if (is_long == (ev_is_active(extend) != 0))
		return;
	if (is_long) {
		say(m, EXTEND_TEXT);
		ev_timer_again(m->loop, extend);
	} else {
		ev_timer_stop(m->loop, extend);
	}
}

/* The next word, or NULL: there is nothing new. */
static const char *
next_word(struct master *m, char *out, size_t cap)
{
	struct notify *n = &m->notify;

	if (m->phase >= MASTER_STOPPING) {
		/* Another master goes on: for systemd nothing stops. */
		if (n->said == NOTIFY_STOPPING || m->upgrade.pid != 0)
			return NULL;
		n->said = NOTIFY_STOPPING;
		return "STOPPING=1";
	}
	if (n->reload_asked && n->said == NOTIFY_READY) {
		n->said = NOTIFY_RELOADING;
		snprintf(out, cap, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
		    clock_us());
	} else if (m->is_ready &&
		   (n->said == NOTIFY_NOTHING ||
		       (n->said == NOTIFY_RELOADING && !reloads(m)))) {
		n->said = NOTIFY_READY;
		snprintf(out, cap, "READY=1\nMAINPID=%d", (int)getpid());
	} else {
		return NULL;
	}
	n->reload_asked = false;
	return out;
}

void
notify_step(struct master *m)
{
	struct notify *n = &m->notify;
	char word[96], text[sizeof(word) + sizeof(n->status) + 16];
	const char *next;
	bool changed;

	if (n->socket[0] == '\0')
		return;
	do {
		next = next_word(m, word, sizeof(word));
		changed = status_look(m);
		if (next == NULL && !changed)
			break;
		snprintf(text, sizeof(text), "%s%sSTATUS=%s",
		    next != NULL ? next : "", next != NULL ? "\n" : "",
		    n->status);
		say(m, text);
	} while (next != NULL); /* a reload may have failed at once */
	extend_look(m);
}

void
notify_reload(struct master *m)
{
	m->notify.reload_asked = true;
}

void
notify_main_pid(struct master *m, pid_t pid)
{
	char text[32];

	if (m->notify.socket[0] == '\0')
		return;
	snprintf(text, sizeof(text), "MAINPID=%d", (int)pid);
	say(m, text);
}

/* --- start ------------------------------------------------------------- */

static void
on_watchdog(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	say(w->data, "WATCHDOG=1");
}

static void
on_extend(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct master *m = w->data;

	(void)revents;
	if (takes_long(m))
		say(m, EXTEND_TEXT);
	else
		ev_timer_stop(loop, w);
}

/* Whole microseconds, meant for this process: else 0, as without a watchdog. */
static uint64_t
watchdog_read(void)
{
	const char *text = getenv("WATCHDOG_USEC");
	const char *pid = getenv("WATCHDOG_PID");
	char *end;
	unsigned long long us;

	if (text == NULL || (pid != NULL && atoi(pid) != (int)getpid()))
		return 0;
	errno = 0;
	us = strtoull(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 ||
	    us == 0) {
		log_warn("WATCHDOG_USEC=%s: microseconds are expected: no "
			 "WATCHDOG=1 will be sent",
		    text);
		return 0;
	}
	return us;
}

static void
socket_read(struct notify *n)
{
	const char *text = getenv("NOTIFY_SOCKET");

	if (text == NULL || text[0] == '\0')
		return;
	if ((text[0] != '/' && text[0] != '@') || text[1] == '\0' ||
	    strlen(text) >= sizeof(n->socket)) {
		log_warn("NOTIFY_SOCKET=%s: a path of less than 108 bytes or "
			 "an @abstract name is expected: systemd is told "
			 "nothing",
		    text);
		return;
	}
	snprintf(n->socket, sizeof(n->socket), "%s", text);
}

void
notify_take_out(void)
{
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

void
notify_init(struct master *m, bool speaks)
{
	struct notify *n = &m->notify;
	double half;

	ev_init(&n->extend, on_extend);
	ev_init(&n->watchdog, on_watchdog);
	n->extend.data = n->watchdog.data = m;
	n->extend.repeat = EXTEND_EVERY_S;
	if (speaks)
		socket_read(n);
	if (n->socket[0] != '\0')
		n->watchdog_us = watchdog_read();
	notify_take_out();
	if (n->watchdog_us == 0)
		return;
	half = (double)n->watchdog_us / 2e6;
	ev_timer_set(&n->watchdog, 0., half);
	ev_timer_start(m->loop, &n->watchdog);
}

void
notify_put_back(const struct master *m)
{
	const struct notify *n = &m->notify;
	char text[32];

	if (n->socket[0] == '\0')
		return;
	setenv("NOTIFY_SOCKET", n->socket, 1);
	if (n->watchdog_us == 0)
		return;
	snprintf(text, sizeof(text), "%" PRIu64, n->watchdog_us);
	setenv("WATCHDOG_USEC", text, 1);
	snprintf(text, sizeof(text), "%d", (int)getpid());
	setenv("WATCHDOG_PID", text, 1);
}
