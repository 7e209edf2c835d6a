/*
 * client.h - one conversation with a master's control socket.
 *
 * Runs in:    reforkctl
 * Owns:       the descriptor
 * After fork: does not fork
 * Raises:     never
 */
#ifndef CTL_CLIENT_H
#define CTL_CLIENT_H

#include "base/buf.h"
#include "base/fail.h"

#define CLIENT_TIMEOUT_MS 5000

struct client {
	int fd;
	struct buf in;
	size_t line_len; /* of the line that client_line gave last */
};

/* 0, or -errno (-ETIMEDOUT) with why. */
int client_open(struct client *, const char *path, struct fail *why);
void client_close(struct client *);
int client_ask(struct client *, const char *request, struct fail *why);
/*
 * The next line, borrowed until the next call; NULL with why. timeout_ms -1
 * waits for ever.
 */
char *client_line(struct client *, int timeout_ms, struct fail *why);
/* "end RC why": 1 with *rc and the text, 0 = another line. */
int client_is_end(const char *line, int *rc, const char **text);

#endif
