#include "ruby/threads.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <ruby/ruby.h>

#include "ruby/prelude.h"
#include "ruby/try.h"

static const unsigned char threads_rb[] = {
#include "ruby/threads.rb.inc"
};

struct checking {
	char *text;
	size_t size;
	bool safe;
};

static void
append(char *text, size_t size, const char *part)
{
	size_t len = strlen(text);

	if (len + 1 < size)
		snprintf(
		    text + len, size - len, "%s%s", len > 0 ? "; " : "", part);
}

static void
append_all_raises(struct checking *c, VALUE list)
{
	long i;

	for (i = 0; i < RARRAY_LEN(list); i++) {
		VALUE item = rb_ary_entry(list, i);

		append(c->text, c->size, StringValueCStr(item));
	}
}

static VALUE
check_raises(VALUE p)
{
	struct checking *c = (struct checking *)p;
	VALUE reforkd = rb_path2class("Reforkd");
	VALUE answer = rb_funcall(reforkd, rb_intern("fork_safety"), 0);
	VALUE refused = rb_ary_entry(answer, 0);

	append_all_raises(c, refused);
	if (RARRAY_LEN(refused) == 0)
		append_all_raises(c, rb_ary_entry(answer, 1));
	c->safe = RARRAY_LEN(refused) == 0;
	return Qnil;
}

int
threads_define(struct ruby_error *why)
{
	static const struct prelude part = { "threads.rb", threads_rb,
		sizeof(threads_rb) };

	return prelude_load(&part, why);
}

int
threads_fork_safe(char *text, size_t size)
{
	struct checking c = { .text = text, .size = size };
	struct ruby_error why;

	text[0] = '\0';
	if (ruby_try(check_raises, &c, &why) < 0) {
		snprintf(text, size, "the check of the threads raised %s",
		    why.class_name);
		return 0;
	}
	return c.safe ? 1 : 0;
}

/* What a connected stream socket talks to; false for all that is none. */
static bool
peer_of(int fd, char *out, size_t cap)
{
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
		struct sockaddr_storage room;
	} peer;
	socklen_t len = sizeof(peer);
	socklen_t type_len = sizeof(int);
	char host[INET6_ADDRSTRLEN];
	int type = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_len) < 0 ||
	    (type != SOCK_STREAM && type != SOCK_SEQPACKET))
		return false;
	memset(&peer, 0, sizeof(peer));
	if (getpeername(fd, &peer.any, &len) < 0)
		return false;
	switch (peer.any.sa_family) {
	case AF_INET:
		inet_ntop(AF_INET, &peer.in.sin_addr, host, sizeof(host));
		snprintf(out, cap, "%s:%u", host, ntohs(peer.in.sin_port));
		return true;
	case AF_INET6:
		inet_ntop(AF_INET6, &peer.in6.sin6_addr, host, sizeof(host));
		snprintf(out, cap, "[%s]:%u", host, ntohs(peer.in6.sin6_port));
		return true;
	case AF_UNIX:
		/* A nameless peer is a socketpair, or a client of a server. */
		if (len <= sizeof(sa_family_t) || peer.un.sun_path[0] == '\0')
			return false;
		snprintf(out, cap, "%.*s", (int)sizeof(peer.un.sun_path),
		    peer.un.sun_path);
		return true;
	default:
		return false;
	}
}

static bool
is_one_of(int fd, const int *ours, size_t nours)
{
	size_t i;

	for (i = 0; i < nours; i++)
		if (ours[i] == fd)
			return true;
	return false;
}

int
threads_shared_sockets(const int *ours, size_t nours, char *text, size_t size)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	int found = 0;

	text[0] = '\0';
	if (dir == NULL)
		return 0;
	while ((entry = readdir(dir)) != NULL) {
		char peer[160];
		char part[192];
		int fd;

		if (entry->d_name[0] < '0' || entry->d_name[0] > '9')
			continue;
		fd = (int)strtol(entry->d_name, NULL, 10);
		/* 0, 1 and 2 may be the journal's; everybody shares those. */
		if (fd <= STDERR_FILENO || fd == dirfd(dir) ||
		    is_one_of(fd, ours, nours) ||
		    !peer_of(fd, peer, sizeof(peer)))
			continue;
		snprintf(part, sizeof(part), "descriptor %d to %s", fd, peer);
		append(text, size, part);
		found++;
	}
	closedir(dir);
	return found;
}
