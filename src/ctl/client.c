/*
 * client.c - one conversation with a master's control socket.
 */
#include "ctl/client.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"

static int
why_not(const char *path, int error, struct fail *why)
{
	const char *remedy = "";

	if (error == ENOENT || error == ECONNREFUSED)
		remedy = ": is it running?";
	else if (error == EACCES || error == EPERM)
		remedy = ": only its own user and root may ask it";
	else if (error == EAGAIN)
		error = ETIMEDOUT;
	return fail_set(why, error, "%s: %s%s", path, strerror(error), remedy);
}

int
client_open(struct client *c, const char *path, struct fail *why)
{
	/* For a UNIX socket this bounds connect as well. */
	const struct timeval limit = { .tv_sec = CLIENT_TIMEOUT_MS / 1000 };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int rc;

	memset(c, 0, sizeof(*c));
	c->fd = -1;
	if (strlen(path) >= sizeof(address.sun_path))
		return why_not(path, ENAMETOOLONG, why);
	memcpy(address.sun_path, path, strlen(path) + 1);
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		return why_not("socket", errno, why);
	(void)setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	do
		rc = connect(
		    c->fd, (const struct sockaddr *)&address, sizeof(address));
	while (rc < 0 && errno == EINTR);
	if (rc < 0) {
		rc = why_not(path, errno, why);
		client_close(c);
	}
	return rc;
}

void
client_close(struct client *c)
{
	fd_close(&c->fd);
	buf_fini(&c->in);
	c->line_len = 0;
}

int
client_ask(struct client *c, const char *request, struct fail *why)
{
	struct buf line = BUF_INIT;
	int rc = buf_printf(&line, "%s\n", request);

	if (rc == 0 &&
	    send(c->fd, line.data, line.len, MSG_NOSIGNAL) != (ssize_t)line.len)
		rc = -errno;
	buf_fini(&line);
	/* A refusal is worth more than EPIPE: it is already there to be read.
	 */
	if (rc == 0 || rc == -EPIPE || rc == -ECONNRESET)
		return 0;
	return fail_set(why, -rc, "cannot send the request: %s", strerror(-rc));
}

/* One read: 1, or -errno. */
static int
more(struct client *c, int timeout_ms, struct fail *why)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };
	ssize_t n;
	int rc = poll(&p, 1, timeout_ms);

	if (rc == 0)
		return fail_set(why, ETIMEDOUT,
		    "no answer in time: the master hangs or is stopped");
	if (rc < 0 && errno == EINTR)
		return 1;
	if (buf_reserve(&c->in, 65536) < 0)
		return fail_set(why, ENOMEM, "no memory");
	n = recv(c->fd, c->in.data + c->in.len, 65536, 0);
	if (n < 0 && errno == EINTR)
		return 1;
	if (n <= 0)
		return fail_set(why, ECONNRESET,
		    "the master has closed the connection without an answer: "
		    "it may have ended");
	c->in.len += (size_t)n;
	return 1;
}

char *
client_line(struct client *c, int timeout_ms, struct fail *why)
{
	const uint64_t until_ms =
	    clock_ms() + (uint64_t)(timeout_ms < 0 ? 0 : timeout_ms);
	char *end;

	buf_drop(&c->in, c->line_len);
	c->line_len = 0;
	for (;;) {
		uint64_t now_ms = clock_ms();
		int left_ms = now_ms < until_ms ? (int)(until_ms - now_ms) : 0;

		end =
		    c->in.len > 0 ? memchr(c->in.data, '\n', c->in.len) : NULL;
		if (end != NULL)
			break;
		if (more(c, timeout_ms < 0 ? -1 : left_ms, why) < 0)
			return NULL;
	}
	*end = '\0';
	c->line_len = (size_t)(end - c->in.data) + 1;
	return c->in.data;
}

int
client_is_end(const char *line, int *rc, const char **text)
{
	if (strncmp(line, "end ", 4) != 0 || line[4] < '0' || line[4] > '9')
		return 0;
	*rc = line[4] - '0';
	*text = line[5] == ' ' ? line + 6 : "";
	return 1;
}
