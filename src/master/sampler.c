#include "master/sampler.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"

struct sampler {
	struct ev_loop *loop;
	ev_io io;
	int fd; /* ours; the thread owns the other end */
	bool busy;
	sampler_result *result;
	void *arg;
};

/* What waiting for a busy processor takes is no cost. */
static uint64_t
thread_cpu_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

/* In the thread: it owns its end and ends with the loop's. */
static void *
run(void *p)
{
	int fd = (int)(intptr_t)p;
	struct sample s;

	while (recv(fd, &s, sizeof(s), 0) == (ssize_t)sizeof(s)) {
		uint64_t began_us = thread_cpu_us();

		s.rc = procmem_read(s.pid, &s.memory);
		s.rss_kb = procmem_rss_kb(s.pid);
		s.cpu_ms = procmem_cpu_ms(s.pid);
		s.took_us = thread_cpu_us() - began_us;
		if (send(fd, &s, sizeof(s), MSG_NOSIGNAL) < 0)
			break;
	}
	fd_close(&fd);
	return NULL;
}

static void
on_result(struct ev_loop *loop, ev_io *w, int revents)
{
	struct sampler *sampler = w->data;
	struct sample s;
	ssize_t n = recv(sampler->fd, &s, sizeof(s), MSG_DONTWAIT);

	(void)revents;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n != (ssize_t)sizeof(s)) {
		ev_io_stop(loop, w); /* stays busy: nobody is asked again */
		return;
	}
	sampler->busy = false;
	sampler->result(sampler->arg, &s);
}

/* Signals are the main thread's alone. */
static int
start(int fd)
{
	sigset_t all, was;
	pthread_attr_t attr;
	pthread_t thread;
	int rc = pthread_attr_init(&attr);

	if (rc != 0)
		return -rc;
	sigfillset(&all);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, 128 * 1024);
	pthread_sigmask(SIG_SETMASK, &all, &was);
	rc = pthread_create(&thread, &attr, run, (void *)(intptr_t)fd);
	pthread_sigmask(SIG_SETMASK, &was, NULL);
	pthread_attr_destroy(&attr);
	return -rc;
}

struct sampler *
sampler_open(struct ev_loop *loop, sampler_result *result, void *arg)
{
	struct sampler *s = calloc(1, sizeof(*s));
	int pair[2], rc;

	if (s == NULL)
		return NULL;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		free(s);
		return NULL;
	}
	rc = start(pair[1]);
	if (rc < 0) {
		fd_close(&pair[0]);
		fd_close(&pair[1]);
		free(s);
		errno = -rc;
		return NULL;
	}
	s->loop = loop;
	s->fd = pair[0];
	s->result = result;
	s->arg = arg;
	ev_io_init(&s->io, on_result, s->fd, EV_READ);
	s->io.data = s;
	ev_io_start(loop, &s->io);
	return s;
}

void
sampler_close(struct sampler *s)
{
	if (s == NULL)
		return;
	ev_io_stop(s->loop, &s->io);
	fd_close(&s->fd);
	free(s);
}

bool
sampler_is_busy(const struct sampler *s)
{
	return s->busy;
}

int
sampler_ask(struct sampler *s, uint64_t token, pid_t pid)
{
	struct sample job = { .token = token, .pid = pid };

	if (s->busy)
		return -EBUSY;
	if (send(s->fd, &job, sizeof(job), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return -errno;
	s->busy = true;
	return 0;
}
