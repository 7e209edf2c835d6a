/*
 * strangers.h - molds and workers of the program that this process was, when it
 * spoke another protocol (`reforkctl restart`).
 *
 * They serve until the pool of that name has its new workers; then each is told
 * to end by a signal, which every version understands: QUIT to a worker, TERM
 * to a mold. Their channels stay open, for who finds his closed leaves at once;
 * what comes there is thrown away, the descriptors with it. Who dies meanwhile
 * is not replaced, who hangs is not killed: their rows cannot be read.
 *
 * Runs in:    master
 * Owns:       their pidfds and channels
 * After fork: the master's only forks exec at once
 * Raises:     never
 */
#ifndef MASTER_STRANGERS_H
#define MASTER_STRANGERS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct handover;
struct master;
struct stranger;

struct strangers {
	struct stranger *at; /* n of them, of whom `left` live */
	size_t n, left;
	bool replaced; /* the default pool's new workers serve: it was said */
};

/* Their descriptors become the master's, what else it hands over is closed. */
int strangers_take(struct master *, const struct handover *); /* 0, -errno */
void strangers_step(struct master *); /* before the loop sleeps */
/* USR1 is what a worker of any version takes for it. */
void strangers_reopen(struct master *);
/* The first mold of the default pool did not come: says so to who waits. */
void strangers_no_boot(struct master *, const char *cause);
/* A zombie: true when it was one of them, and is reaped. */
bool strangers_look(struct master *, pid_t);
pid_t strangers_first(const struct master *); /* one that lives, or 0 */
void strangers_close(struct master *);

#endif
