#include "master/inherit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "master/master.h"

#define FIRST_OF_SYSTEMD 3

/* As config.rb writes addresses: 0, -errno. */
static int
address_text(int fd, char *out, size_t cap)
{
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
	} a;
	socklen_t len = (socklen_t)sizeof(a);
	char host[INET6_ADDRSTRLEN];

	memset(&a, 0, sizeof(a));
	if (getsockname(fd, &a.sa, &len) < 0)
		return -errno;
	if (a.sa.sa_family == AF_UNIX && a.un.sun_path[0] == '/') {
		snprintf(out, cap, "%.*s", (int)sizeof(a.un.sun_path),
		    a.un.sun_path);
		return 0;
	}
	if (a.sa.sa_family == AF_INET &&
	    inet_ntop(AF_INET, &a.in.sin_addr, host, sizeof(host)) != NULL) {
		snprintf(out, cap, "%s:%u", host, ntohs(a.in.sin_port));
		return 0;
	}
	if (a.sa.sa_family == AF_INET6 &&
	    inet_ntop(AF_INET6, &a.in6.sin6_addr, host, sizeof(host)) != NULL) {
		snprintf(out, cap, "[%s]:%u", host, ntohs(a.in6.sin6_port));
		return 0;
	}
	return -EAFNOSUPPORT;
}

static bool
listens(int fd)
{
	int type = 0, accepts = 0;
	socklen_t len = (socklen_t)sizeof(int);

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
	       type == SOCK_STREAM &&
	       getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &len) == 0 &&
	       accepts != 0;
}

/* Several sockets of one address are its queues. */
static char *
name_of(const struct listeners *all, const char *address)
{
	char *name = NULL;
	size_t i, n = 0;

	for (i = 0; i < all->n; i++)
		n += strncmp(all->at[i].address, address, strlen(address)) ==
			 0 &&
		     strchr("#", all->at[i].address[strlen(address)]) != NULL;
	if (n == 0 || address[0] == '/')
		return strdup(address);
	return asprintf(&name, "%s#%zu", address, n) < 0 ? NULL : name;
}

static int
take(struct listeners *all, int fd, const char *variable, bool immortal,
    struct fail *why)
{
	struct listener *l = &all->at[all->n];
	char address[160] = "";
	int rc;

	if (all->n == RFK_LISTENERS_MAX)
		return fail_set(why, E2BIG, "%s: more than %d sockets",
		    variable, RFK_LISTENERS_MAX);
	if (!listens(fd))
		return fail_set(why, EINVAL,
		    "%s: descriptor %d is not a listening stream socket: unset "
		    "the variable, or hand one over",
		    variable, fd);
	rc = address_text(fd, address, sizeof(address));
	if (rc < 0)
		return fail_set(why, -rc, "%s: descriptor %d: its address: %s",
		    variable, fd, strerror(-rc));
	l->address = name_of(all, address);
	l->bound = strdup(address);
	if (l->address == NULL || l->bound == NULL ||
	    fd_cloexec(fd, true) < 0 || fd_nonblock(fd, true) < 0)
		return fail_set(why, ENOMEM, "%s: descriptor %d", variable, fd);
	l->fd = fd;
	l->shared = true;
	l->immortal = immortal;
	all->n++;
	log_info("inherited addr=%s fd=%d", address, fd);
	return 0;
}

static int
from_master(struct listeners *all, const char *variable, struct fail *why)
{
	const char *text = getenv(variable);
	char *end;
	int rc = 0;

	while (rc == 0 && text != NULL && *text != '\0') {
		long fd = strtol(text, &end, 10);

		if (end == text || fd < 0 || fd > 0xfffff ||
		    (*end != ',' && *end != '\0'))
			return fail_set(why, EINVAL,
			    "%s=%s: descriptors with commas between are "
			    "expected",
			    variable, getenv(variable));
		rc = take(all, (int)fd, variable, false, why);
		text = *end == ',' ? end + 1 : end;
	}
	return rc;
}

/* "LISTEN_FDS" or, where it has a name, "LISTEN_FDS (web.socket)". */
static const char *
systemd_name(const char **names, char *out, size_t cap)
{
	size_t len = *names != NULL ? strcspn(*names, ":") : 0;

	if (len == 0)
		snprintf(out, cap, "LISTEN_FDS");
	else
		snprintf(out, cap, "LISTEN_FDS (%.*s)", (int)len, *names);
	if (*names != NULL)
		*names = (*names)[len] == ':' ? *names + len + 1 : NULL;
	return out;
}

static int
from_systemd(struct master *m, struct fail *why)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
	const char *names = getenv("LISTEN_FDNAMES");
	char name[128], *end;
	long n, i;
	int rc = 0;

	if (pid == NULL || count == NULL || atoi(pid) != (int)getpid())
		return 0;
	n = strtol(count, &end, 10);
	if (end == count || *end != '\0' || n < 0)
		return fail_set(why, EINVAL,
		    "LISTEN_FDS=%s: the number of descriptors is expected",
		    count);
	for (i = 0; rc == 0 && i < n; i++)
		rc = take(&m->pool.listeners, FIRST_OF_SYSTEMD + (int)i,
		    systemd_name(&names, name, sizeof(name)), true, why);
	return rc;
}

/* The master that started this one has gone: its sockets are ours alone. */
static void
on_parent_gone(struct ev_loop *loop, ev_io *w, int revents)
{
	struct master *m = w->data;
	struct pool *p = NULL;
	size_t i;

	(void)revents;
	ev_io_stop(loop, w);
	fd_close(&m->parent_pidfd);
	while ((p = pools_next(m, p)) != NULL)
		for (i = 0; i < p->listeners.n; i++)
			p->listeners.at[i].shared = p->listeners.at[i].immortal;
	upgrade_share(m);
}

/* Whichever of an address's queues it is. */
static bool
is_wanted(const struct rfk_settings_table *s, const char *address)
{
	size_t i,
	    len = address[0] != '/' ? strcspn(address, "#") : strlen(address);

	for (i = 0; i < s->listens; i++)
		if (strncmp(s->listen[i].address, address, len) == 0 &&
		    s->listen[i].address[len] == '\0')
			return true;
	return false;
}

void
inherit_claim(struct pool *p, const struct rfk_settings_table *s)
{
	struct master *m = p->master;
	struct listeners *from = &m->inherited, *to = &p->listeners;
	size_t i, kept = 0;

	for (i = 0; i < from->n; i++) {
		struct listener *l = &from->at[i];

		if (to->n == RFK_LISTENERS_MAX || !is_wanted(s, l->address)) {
			from->at[kept++] = *l;
			continue;
		}
		l->shared = m->parent_pidfd >= 0;
		to->at[to->n++] = *l;
	}
	from->n = kept;
	upgrade_share(m);
}

void
inherit_over(struct master *m)
{
	size_t i;

	for (i = 0; i < m->inherited.n; i++)
		log_info("closing listener addr=%s: no pool names it",
		    m->inherited.at[i].address);
	listeners_close(&m->inherited);
}

int
inherit_listeners(struct master *m, struct fail *why)
{
	int rc = from_master(&m->pool.listeners, "UNICORN_FD", why);

	if (rc == 0)
		rc = from_master(&m->inherited, "REFORKD_FD", why);
	unsetenv("REFORKD_FD"); /* unicorn's stays, as in unicorn */
	if (rc == 0 && m->pool.listeners.n + m->inherited.n > 0) {
		m->parent_pidfd = pidfd_open_pid(getppid());
		if (m->parent_pidfd >= 0) {
			ev_io_init(&m->parent_io, on_parent_gone,
			    m->parent_pidfd, EV_READ);
			m->parent_io.data = m;
			ev_io_start(m->loop, &m->parent_io);
		}
	}
	if (rc == 0)
		rc = from_systemd(m, why);
	/* They are this process's: whoever reads them next would err. */
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	upgrade_share(m);
	return rc;
}

/* systemd means the process that it has started, and its heir. */
void
inherit_daemonized(pid_t was)
{
	static const char *const names[] = { "LISTEN_PID", "WATCHDOG_PID" };
	char own[16];
	size_t i;

	snprintf(own, sizeof(own), "%d", (int)getpid());
	for (i = 0; i < 2; i++) {
		const char *pid = getenv(names[i]);

		if (pid != NULL && atoi(pid) == (int)was)
			setenv(names[i], own, 1);
	}
}

int
inherit_encode(const struct master *m, struct buf *out)
{
	const struct listeners *all = &m->pool.listeners;
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && i < all->n; i++) {
		if (m->phase != MASTER_BOOTING && !all->at[i].immortal)
			continue;
		rc = buf_printf(out, "inherited=%s", all->at[i].address);
		if (rc == 0)
			rc = buf_put(out, "", 1);
	}
	return rc;
}
