/* cutoff.c - the last call of a listening socket. */
#include "base/cutoff.h"

#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

/* Where the flags are in a TCP header: SYN without ACK opens a connection. */
#define FLAGS_AT 13
#define SYN 0x02
#define ACK 0x10

static bool
is_unix(int listener)
{
	int domain = 0;
	socklen_t len = (socklen_t)sizeof(domain);

	return getsockopt(listener, SOL_SOCKET, SO_DOMAIN, &domain, &len) ==
		   0 &&
	       domain == AF_UNIX;
}

int
cutoff_announce(int listener)
{
	/* A filter of TCP's sees the segment from its header on. */
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, FLAGS_AT),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, SYN | ACK),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYN, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, 0xffffffffu),
	};
	struct sock_fprog program = { .len = sizeof(code) / sizeof(code[0]),
		.filter = code };
	int at_once = 0;

	if (setsockopt(listener, SOL_SOCKET, SO_ATTACH_FILTER, &program,
		(socklen_t)sizeof(program)) < 0)
		return -errno;
	/* Those that have said nothing yet are queued without waiting for it.
	 */
	if (!is_unix(listener))
		(void)setsockopt(listener, IPPROTO_TCP, TCP_DEFER_ACCEPT,
		    &at_once, (socklen_t)sizeof(at_once));
	return 0;
}

int
cutoff_begin(int listener)
{
	int rc = cutoff_announce(listener);

	if (rc == 0 && is_unix(listener) && shutdown(listener, SHUT_RD) < 0)
		rc = -errno;
	return rc;
}

bool
cutoff_begun(int listener)
{
	socklen_t instructions = 0;

	/* Asked for no room, the kernel says how long the filter is. */
	return getsockopt(listener, SOL_SOCKET, SO_GET_FILTER, NULL,
		   &instructions) == 0 &&
	       instructions > 0;
}

bool
cutoff_is_sharp(int listener)
{
	return is_unix(listener);
}

void
cutoff_end_if_empty(int listener)
{
	struct pollfd pfd = { .fd = listener, .events = POLLIN };

	if (!is_unix(listener) && poll(&pfd, 1, 0) == 0)
		(void)shutdown(listener, SHUT_RDWR);
}
