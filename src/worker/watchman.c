/*
 * watchman.c - a thread of C that looks at this worker's row.
 *
 * At the soft timeout it has the main thread log where it is (safepoint.c);
 * when there is no safe point it logs the system call instead. With the master
 * gone it enforces the hard timeout itself.
 *
 * It never sleeps longer than the soft timeout, so that a unit that starts
 * after a look cannot expire before the next one; a unit costs it nothing. Both
 * limits are reckoned from the deadline in the row, which the application may
 * move (extend.h): what is told once is told once for each deadline.
 *
 * While the collector is on a leash it ticks, and has a unit that is found
 * running twice look at what it has allocated. When nothing is done it falls
 * asleep; the next unit wakes it.
 */
#include "worker/worker.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "ipc/chan.h"
#include "worker/collect.h"
#include "worker/safepoint.h"
#include "worker/stuck.h"

#define TICK_MS 5
/* Ticks without a unit before it falls asleep. */
#define TICKS_IDLE 20

/* One in a process: the thread finds it here. */
static struct {
	bool running;
	pthread_t thread;
	pid_t main_tid;
	int stop_fd;
	int channel;
	uint64_t soft_ms, hard_ms;
	const struct rfk_row *row;
	/* Deadlines: whose job was triggered, found no safe point. */
	uint64_t told_ms, gave_up_ms;
	bool master_gone;
	bool ticks;
	uint64_t tick_requests; /* served, at the last tick */
	unsigned idle_ticks;
	bool tick_in_unit;
	atomic_bool is_asleep, stops;
} own = { .stop_fd = -1 };

static uint64_t
unit_of(const struct rfk_row *row)
{
	return atomic_load_explicit(&row->unit_ms, memory_order_acquire);
}

static uint64_t
deadline_of(const struct rfk_row *row)
{
	return atomic_load_explicit(&row->deadline_ms, memory_order_acquire);
}

/*
 * Milliseconds until the next tick, or left_ms when it falls asleep. It says
 * so before it looks once more: a unit that begins meanwhile sees the one or
 * is seen by the other.
 */
static int
tick(int left_ms)
{
	uint64_t requests =
	    atomic_load_explicit(&own.row->requests, memory_order_relaxed);
	bool in_unit = unit_of(own.row) != 0;

	if (in_unit && own.tick_in_unit && requests == own.tick_requests)
		safepoint_leash();
	if (in_unit || requests != own.tick_requests)
		own.idle_ticks = 0;
	else if (own.idle_ticks < TICKS_IDLE)
		own.idle_ticks++;
	own.tick_in_unit = in_unit;
	own.tick_requests = requests;
	if (own.idle_ticks >= TICKS_IDLE) {
		atomic_store(&own.is_asleep, true);
		if (unit_of(own.row) == 0)
			return left_ms;
		atomic_store(&own.is_asleep, false);
	}
	return left_ms < TICK_MS ? left_ms : TICK_MS;
}

/* Said once for each deadline. */
static void
soft_passed(uint64_t due_ms)
{
	if (own.told_ms == due_ms)
		return;
	own.told_ms = due_ms;
	safepoint_soft(due_ms);
}

static void
no_safe_point(uint64_t due_ms)
{
	char what[256];

	if (safepoint_reached(due_ms) || own.gave_up_ms == due_ms)
		return;
	own.gave_up_ms = due_ms;
	stuck_text(own.main_tid, what, sizeof(what));
	safepoint_log(what);
}

static int
left(uint64_t until_ms, uint64_t now_ms)
{
	uint64_t left_ms = until_ms > now_ms ? until_ms - now_ms : 0;

	return (int)(left_ms < own.soft_ms ? left_ms : own.soft_ms);
}

/* Milliseconds until the next look. */
static int
look(void)
{
	uint64_t now_ms = clock_ms();
	uint64_t due_ms = deadline_of(own.row);
	uint64_t margin = own.hard_ms - own.soft_ms;

	if (due_ms == 0)
		return (int)own.soft_ms;
	if (own.master_gone && now_ms >= due_ms) {
		safepoint_log(
		    "timeout, and no master to end it: killing itself");
		(void)kill(getpid(), SIGKILL);
	}
	if (now_ms + margin < due_ms)
		return left(due_ms - margin, now_ms);
	soft_passed(due_ms);
	if (now_ms + margin / 4 < due_ms)
		return left(due_ms - margin / 4, now_ms);
	no_safe_point(due_ms);
	return now_ms < due_ms ? left(due_ms, now_ms) : (int)own.soft_ms;
}

static void *
watch(void *unused)
{
	(void)unused;
	for (;;) {
		struct pollfd fds[2] = { { .fd = own.stop_fd,
					     .events = POLLIN },
			{ .fd = own.master_gone ? -1 : own.channel } };
		int left_ms = look();
		uint64_t count;
		int n;

		if (own.ticks)
			left_ms = tick(left_ms);
		n = poll(fds, 2, left_ms > 0 ? left_ms : 1);
		atomic_store(&own.is_asleep, false);
		if (n > 0 && fds[0].revents != 0)
			(void)!read(own.stop_fd, &count, sizeof(count));
		if (atomic_load(&own.stops))
			return NULL;
		if (n > 0 && fds[1].revents != 0)
			own.master_gone = true;
	}
}

/* Its signals are blocked: Ruby's and ours belong to the main thread. */
static void
thread_make(uint32_t slot)
{
	sigset_t all, before;

	sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	own.running = pthread_create(&own.thread, NULL, watch, NULL) == 0;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!own.running)
		log_warn("worker=%u: no thread for timeout_soft", slot);
}

void
watchman_start(const struct self *self)
{
	if (own.stop_fd >= 0)
		return;
	own.stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	own.main_tid = (pid_t)syscall(SYS_gettid);
	own.channel = chan_fd(self->master);
	own.hard_ms = (uint64_t)self->settings.timeout;
	own.soft_ms = (uint64_t)settings_soft_ms(&self->settings);
	if (own.soft_ms == 0 || own.soft_ms > own.hard_ms)
		own.soft_ms = own.hard_ms;
	if (own.soft_ms > INT32_MAX)
		own.soft_ms = INT32_MAX;
	own.row = self->my_row;
	own.told_ms = own.gave_up_ms = 0;
	own.master_gone = false;
	own.ticks = collect_is_leashed(&self->settings);
	own.idle_ticks = 0;
	own.tick_in_unit = false;
	atomic_store(&own.stops, false);
	atomic_store(&own.is_asleep, false);
	safepoint_open(self);
	if (own.stop_fd >= 0)
		thread_make(self->slot);
}

/* The fence: the row must say that a unit runs before we look. */
void
watchman_wake(void)
{
	uint64_t one = 1;

	atomic_thread_fence(memory_order_seq_cst);
	if (atomic_load_explicit(&own.is_asleep, memory_order_relaxed))
		(void)!write(own.stop_fd, &one, sizeof(one));
}

void
watchman_poke(void)
{
	uint64_t one = 1;

	if (own.running)
		(void)!write(own.stop_fd, &one, sizeof(one));
}

void
watchman_forget(void)
{
	own.running = false;
	fd_close(&own.stop_fd);
}

void
watchman_stop(void)
{
	uint64_t one = 1;

	atomic_store(&own.stops, true);
	if (own.running) {
		(void)!write(own.stop_fd, &one, sizeof(one));
		(void)pthread_join(own.thread, NULL);
	}
	watchman_forget();
}
