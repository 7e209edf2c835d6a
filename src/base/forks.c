/*
 * forks.c - vfork and posix_spawn run no handlers, and need none: their child
 * calls exec before its parent goes on.
 */
#include "base/forks.h"

#include <pthread.h>
#include <stdbool.h>

static struct {
	bool is_watched, failed;
	unsigned seen;
} own;

static void
on_parent(void)
{
	own.seen++;
}

void
forks_watch(void)
{
	if (own.is_watched)
		return;
	own.is_watched = true;
	own.failed = pthread_atfork(NULL, on_parent, NULL) != 0;
}

/* Where it cannot be known each answer differs: there may have been one. */
unsigned
forks_seen(void)
{
	return own.failed || !own.is_watched ? ++own.seen : own.seen;
}
