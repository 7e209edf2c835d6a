/*
 * guard.c - a thread that waits for the master's end while a session runs.
 *
 * Nobody else would: the main thread is in the pool's block, and reads nothing
 * of the channel. The session has as long to end by itself as a worker has to
 * drain; then it is told, then it is killed, so that nothing stays behind.
 */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "lease/session.h"

static struct {
	int channel;
	uint64_t limit_ms, within_ms;
} own;

static void
pause_ms(uint64_t ms)
{
	uint64_t until_ms = clock_ms() + ms, now_ms;

	while ((now_ms = clock_ms()) < until_ms)
		(void)poll(NULL, 0,
		    until_ms - now_ms > 60000 ? 60000
					      : (int)(until_ms - now_ms));
}

static void *
guard(void *unused)
{
	/* No events: only the end of the other side. */
	struct pollfd pfd = { .fd = own.channel };

	(void)unused;
	while (poll(&pfd, 1, -1) <= 0)
		;
	log_warn("the master is gone: this session has %.1fs to end",
	    (double)own.limit_ms / 1e3);
	pause_ms(own.limit_ms);
	(void)kill(getpid(), SIGTERM);
	(void)kill(getpid(), SIGCONT);
	pause_ms(own.within_ms);
	(void)kill(getpid(), SIGKILL);
	return NULL;
}

/* Its signals are blocked: they belong to Ruby's main thread. */
void
guard_start(int channel, uint64_t limit_ms, uint64_t within_ms)
{
	sigset_t all, before;
	pthread_t thread;

	own.channel = channel;
	own.limit_ms = limit_ms;
	own.within_ms = within_ms;
	sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	if (pthread_create(&thread, NULL, guard, NULL) == 0)
		(void)pthread_detach(thread);
	else
		log_warn("no thread looks for the master's end");
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
}
