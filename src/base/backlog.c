/* backlog.c - the accept queue's length, of TCP and of UNIX listeners. */
#include "base/backlog.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/fd.h"

struct question {
	struct nlmsghdr head;
	struct unix_diag_req body;
};

static int
ask(int netlink, ino_t inode)
{
	struct question q = {
		.head = { .nlmsg_len = sizeof(q),
		    .nlmsg_type = SOCK_DIAG_BY_FAMILY,
		    .nlmsg_flags = NLM_F_REQUEST },
		.body = { .sdiag_family = AF_UNIX,
		    .udiag_states = ~0u,
		    .udiag_ino = (__u32)inode,
		    .udiag_show = UDIAG_SHOW_RQLEN,
		    .udiag_cookie = { ~0u, ~0u } },
	};

	return send(netlink, &q, sizeof(q), 0) < 0 ? -errno : 0;
}

/* For a listener the kernel calls the accept queue its receive queue. */
static int
length_in(const struct nlmsghdr *head)
{
	/* NLMSG_DATA casts away const. */
	const char *at = (const char *)head + NLMSG_HDRLEN;
	const char *end = (const char *)head + head->nlmsg_len;
	struct unix_diag_rqlen length;
	struct nlmsgerr refusal;
	struct rtattr attr;

	if (head->nlmsg_type == NLMSG_ERROR) {
		memcpy(&refusal, at, sizeof(refusal));
		return refusal.error;
	}
	if (head->nlmsg_type != SOCK_DIAG_BY_FAMILY)
		return -EPROTO;
	at += sizeof(struct unix_diag_msg);
	for (; end - at >= (ptrdiff_t)sizeof(attr);
	     at += RTA_ALIGN(attr.rta_len)) {
		memcpy(&attr, at, sizeof(attr));
		if (attr.rta_len < sizeof(attr) || attr.rta_len > end - at)
			break;
		if (attr.rta_type != UNIX_DIAG_RQLEN ||
		    attr.rta_len < RTA_LENGTH(sizeof(length)))
			continue;
		memcpy(&length, at + RTA_LENGTH(0), sizeof(length));
		return (int)length.udiag_rqueue;
	}
	return -ENODATA;
}

static int
length_unix(ino_t inode)
{
	union {
		struct nlmsghdr head;
		char bytes[1024];
	} answer;
	int netlink =
	    socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	ssize_t n;
	int rc;

	if (netlink < 0)
		return -errno;
	rc = ask(netlink, inode);
	if (rc == 0) {
		n = recv(netlink, &answer, sizeof(answer), 0);
		if (n < 0)
			rc = -errno;
		else if (!NLMSG_OK(&answer.head, (size_t)n))
			rc = -EPROTO;
		else
			rc = length_in(&answer.head);
	}
	fd_close(&netlink);
	return rc;
}

int
backlog_length(int listener)
{
	struct tcp_info info;
	socklen_t len = (socklen_t)sizeof(info);
	struct stat st;

	/* For a listener the kernel counts its accept queue there. */
	if (getsockopt(listener, IPPROTO_TCP, TCP_INFO, &info, &len) == 0)
		return (int)info.tcpi_unacked;
	if (fstat(listener, &st) < 0)
		return -errno;
	return length_unix(st.st_ino);
}
