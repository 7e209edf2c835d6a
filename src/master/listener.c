/*
 * One listening socket. Options that the kernel refuses are logged and not
 * fatal, as in unicorn; an address that cannot be bound is.
 */
#include "master/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"

union address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
};

static int
port_of(const char *text, uint16_t *port)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (end == text || *end != '\0' || n < 0 || n > 65535)
		return -EINVAL;
	*port = htons((uint16_t)n);
	return 0;
}

static int
parse_unix(const char *text, union address *a, socklen_t *len)
{
	size_t n = strlen(text);

	if (n >= sizeof(a->un.sun_path))
		return -ENAMETOOLONG;
	a->un.sun_family = AF_UNIX;
	memcpy(a->un.sun_path, text, n + 1);
	*len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + 1);
	return 0;
}

/* "/path", "[v6]:port", "v4:port": numeric, as config.rb sends them. */
static int
parse(const char *text, union address *a, socklen_t *len)
{
	const char *colon = strrchr(text, ':');
	char host[64];
	size_t n;

	memset(a, 0, sizeof(*a));
	if (text[0] == '/')
		return parse_unix(text, a, len);
	if (colon == NULL || (size_t)(colon - text) >= sizeof(host))
		return -EINVAL;
	n = (size_t)(colon - text);
	memcpy(host, text, n);
	host[n] = '\0';
	if (host[0] == '[' && n > 2 && host[n - 1] == ']') {
		host[n - 1] = '\0';
		a->in6.sin6_family = AF_INET6;
		*len = sizeof(a->in6);
		if (inet_pton(AF_INET6, host + 1, &a->in6.sin6_addr) != 1)
			return -EINVAL;
		return port_of(colon + 1, &a->in6.sin6_port);
	}
	a->in.sin_family = AF_INET;
	*len = sizeof(a->in);
	if (inet_pton(AF_INET, host, &a->in.sin_addr) != 1)
		return -EINVAL;
	return port_of(colon + 1, &a->in.sin_port);
}

static void
set(int fd, int level, int name, int value, const char *what,
    const struct rfk_listen *l)
{
	if (value < 0)
		return;
	if (setsockopt(fd, level, name, &value, sizeof(value)) < 0)
		log_warn("%s%slisten \"%s\": %s=%d refused: %s", l->place,
		    l->place[0] ? ": " : "", l->address, what, value,
		    strerror(errno));
}

static void
set_options(int fd, const union address *a, const struct rfk_listen *l)
{
	set(fd, SOL_SOCKET, SO_KEEPALIVE, 1, "keepalive", l);
	set(fd, SOL_SOCKET, SO_RCVBUF, l->rcvbuf, "rcvbuf", l);
	set(fd, SOL_SOCKET, SO_SNDBUF, l->sndbuf, "sndbuf", l);
	if (a->sa.sa_family == AF_UNIX)
		return;
	set(fd, IPPROTO_TCP, TCP_NODELAY, l->tcp_nodelay, "tcp_nodelay", l);
	set(fd, IPPROTO_TCP, TCP_CORK, l->tcp_nopush, "tcp_nopush", l);
	set(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, l->tcp_defer_accept,
	    "tcp_defer_accept", l);
}

/* What must be set before bind(2). */
static void
set_early(int fd, const union address *a, const struct rfk_listen *l)
{
	if (a->sa.sa_family == AF_UNIX)
		return;
	set(fd, SOL_SOCKET, SO_REUSEADDR, 1, "reuseaddr", l);
	if (l->reuseport > 0 || l->queues > 1)
		set(fd, SOL_SOCKET, SO_REUSEPORT, 1, "reuseport", l);
	if (a->sa.sa_family == AF_INET6)
		set(fd, IPPROTO_IPV6, IPV6_V6ONLY, l->ipv6only, "ipv6only", l);
}

static const char *
remedy(int error, bool is_unix)
{
	switch (error) {
	case EADDRINUSE:
		return is_unix
			   ? " (another process answers there: stop it, or "
			     "listen elsewhere)"
			   : " (stop what listens there, `ss -ltnp` names it, "
			     "or listen elsewhere)";
	case EACCES:
		return is_unix ? " (choose a directory that this user may "
				 "write to)"
			       : " (ports below 1024 need root or "
				 "CAP_NET_BIND_SERVICE)";
	case EADDRNOTAVAIL:
		return " (no interface of this machine has the address: `ip "
		       "address` lists them)";
	case EAFNOSUPPORT:
		return " (this system has no IPv6)";
	case ENOENT:
		return " (make the directory first)";
	case EEXIST:
		return " and is not a socket (remove it, or listen elsewhere)";
	case EINVAL:
		return " (HOST:PORT, [IPV6]:PORT or an absolute path of at "
		       "most 107 bytes)";
	default:
		return "";
	}
}

int
listener_refuse(const struct rfk_listen *l, int error, struct fail *why)
{
	return fail_set(why, error, "%s%slisten \"%s\": %s%s", l->place,
	    l->place[0] ? ": " : "", l->address, strerror(error),
	    remedy(error, l->address[0] == '/'));
}

/* A socket file whose owner has gone is unlinked; a live one is in use. */
static int
clear_stale(const union address *a, socklen_t len)
{
	const char *path = a->un.sun_path;
	struct stat st;
	int fd, rc;

	if (lstat(path, &st) < 0)
		return 0;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	rc = connect(fd, &a->sa, len) < 0 ? -errno : 0;
	fd_close(&fd);
	if (rc != -ECONNREFUSED)
		return 0;
	log_info("unlinking existing socket=%s", path);
	return unlink(path) < 0 ? -errno : 0;
}

static int
bind_at(
    int fd, const union address *a, socklen_t len, const struct rfk_listen *l)
{
	mode_t old = 0;
	int rc;

	if (a->sa.sa_family == AF_UNIX)
		old = umask((mode_t)l->umask);
	rc = bind(fd, &a->sa, len) < 0 ? -errno : 0;
	if (a->sa.sa_family == AF_UNIX)
		umask(old);
	return rc;
}

int
listener_open(const struct rfk_listen *l, struct fail *why)
{
	union address a;
	socklen_t len;
	int fd, rc;

	rc = parse(l->address, &a, &len);
	if (rc == 0 && a.sa.sa_family == AF_UNIX)
		rc = clear_stale(&a, len);
	if (rc < 0)
		return listener_refuse(l, -rc, why);
	fd = socket(
	    a.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return listener_refuse(l, errno, why);
	set_early(fd, &a, l);
	rc = bind_at(fd, &a, len, l);
	if (rc == 0) {
		set_options(fd, &a, l);
		return fd;
	}
	fd_close(&fd);
	return listener_refuse(l, -rc, why);
}

int
listener_backlog(const struct rfk_listen *l)
{
	int each = l->queues > 1 ? l->backlog / l->queues : l->backlog;

	return l->backlog > 0 && each == 0 ? 1 : each;
}

void
listener_again(int fd, const struct rfk_listen *l)
{
	union address a;
	socklen_t len;

	if (parse(l->address, &a, &len) == 0)
		set_options(fd, &a, l);
	/* It was the only one, and others shall bind beside it. */
	if (l->queues > 1)
		set(fd, SOL_SOCKET, SO_REUSEPORT, 1, "reuseport", l);
	if (listen(fd, listener_backlog(l)) < 0)
		log_warn("%s%slisten \"%s\": backlog=%d refused: %s", l->place,
		    l->place[0] ? ": " : "", l->address, l->backlog,
		    strerror(errno));
}

char *
listener_bound(int fd)
{
	union address a;
	socklen_t len = sizeof(a);
	char host[INET6_ADDRSTRLEN] = "?";
	char *text = NULL;

	memset(&a, 0, sizeof(a));
	if (getsockname(fd, &a.sa, &len) < 0)
		return NULL;
	if (a.sa.sa_family == AF_UNIX)
		return strdup(a.un.sun_path);
	(void)inet_ntop(a.sa.sa_family,
	    a.sa.sa_family == AF_INET6 ? (const void *)&a.in6.sin6_addr
				       : (const void *)&a.in.sin_addr,
	    host, sizeof(host));
	/* The port lies at the same place in both. */
	if (asprintf(&text, a.sa.sa_family == AF_INET6 ? "[%s]:%u" : "%s:%u",
		host, ntohs(a.in.sin_port)) < 0)
		return NULL;
	return text;
}
