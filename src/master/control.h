/*
 * control.h - the control socket: UNIX, mode 0600, SO_PEERCRED checked. One
 * request line ("VERB arguments\n"), answered by lines and a last line
 * "end 0" or "end 1 why".
 *
 * Everything a client sends is hostile; a client that stops reading or writing
 * is dropped. Nothing a client does stops the master's loop.
 *
 * Runs in:    master
 * Owns:       the socket, its file, its clients
 * After fork: CLOEXEC
 * Raises:     never
 */
#ifndef MASTER_CONTROL_H
#define MASTER_CONTROL_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/fail.h"

struct master;
struct pool;
struct control;
struct control_client;

/*
 * Opens the socket at path (stale ones are replaced, live ones refused), or
 * takes the one that was open before this program began.
 */
struct control *control_open(
    struct master *, const char *path, int take_fd, struct fail *why);
void control_close(struct control *); /* unlinks its file; NULL is fine */
/* Its socket becomes PATH.oldbin, for the master that takes this one's place.
 */
void control_aside(struct control *, bool aside);
const char *control_path(const struct control *);
int control_fd(const struct control *);
/* A client of the program before, whose verb is under way. */
struct control_client *control_client_resume(
    struct control *, int take_fd, const char *who);
int control_client_fd(const struct control_client *);

/* For verbs.c: one answer line, and the end. */
void control_say(struct control_client *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Sends what the client takes now: an answer that comes in parts. */
void control_flush(struct control_client *);
void control_end(struct control_client *, int rc, const char *why);
struct master *control_master(struct control_client *);
/* "asked by reforkctl, uid 1000 pid 42": for logs, inside the client. */
const char *control_who(const struct control_client *);
/* Outcomes of a pool still to come before this client's verb ends. */
struct control_wait {
	unsigned int n;
	struct pool *pool;
};
struct control_wait *control_waits(struct control_client *);
/* Calls the verb of the line; it ends at once, or later (refork, reload). */
void verbs_run(struct control_client *, char *line);
void verbs_resume(struct control_client *, struct pool *);
void verbs_gone(struct control_client *); /* the client left while waiting */
/* status.c: the lines of `status`, `deaths`. Values are %-escaped. */
void status_say(struct master *, struct control_client *);
void status_deaths(struct master *, struct control_client *);

#endif
