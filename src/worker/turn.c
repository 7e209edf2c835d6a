/*
 * turn.c - the worker's loop.
 *
 * The loop does one thing at a time, in this order: what signals and the
 * channel asked for, one unit of work that is complete, a look at the epoll set
 * with the GVL held, one accept when nothing waits. Only when all of that found
 * nothing is the GVL given up to sleep: giving it up for an event that is there
 * already costs 200 ms when another Ruby thread is busy.
 */
#include "worker/worker.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/pidfd.h"
#include "ipc/chan.h"
#include "ruby/try.h"
#include "ruby/vm.h"
#include "worker/collect.h"
#include "worker/inquire.h"

/* An idle worker shows that it lives at least this often. */
#define BEAT_MS 1000
/* Units that take no time are done in a row this long between two looks. */
#define LOOK_US 1000
/*
 * A client that asks again this soon is waited for awake: waking a sleeping
 * core of a virtual machine costs 20 to 30 us. Longer gaps end it at once.
 */
#define AWAKE_US 100
/* One look that took this long was interrupted: no more of it for a second. */
#define TAKEN_US 600
#define SOBER_US 1000000
/* The descriptors of a process that ends are closed a moment before its end. */
#define MASTER_END_MS 200

static uint64_t
drain_limit(const struct worker *w, uint32_t asked_ms)
{
	return asked_ms > 0 ? asked_ms
			    : (uint64_t)settings_drain_ms(&w->self->settings);
}

static void
on_order(struct worker *w, const struct rfk_msg *msg, int *take_fds, int nfds)
{
	if (w->kind->order != NULL) {
		w->kind->order(w, msg, take_fds, nfds);
		return;
	}
	while (nfds > 0)
		fd_close(&take_fds[--nfds]);
	log_error("worker=%u: a worker of kind %s is not leased", w->self->slot,
	    w->kind->name);
}

static void
on_message(struct worker *w, const struct rfk_msg *msg, int *take_fds, int nfds)
{
	switch (msg->type) {
	case RFK_MSG_LEASE:
		on_order(w, msg, take_fds, nfds);
		break;
	case RFK_MSG_QUIT:
		worker_drain(
		    w, RFK_EXIT_QUIT, drain_limit(w, msg->u.stop.limit_ms));
		break;
	case RFK_MSG_PROMOTE:
		w->wants_promotion = true;
		w->promotion = msg->u.promote;
		break;
	case RFK_MSG_REOPEN:
		w->wants_reopen = true;
		break;
	case RFK_MSG_ASK:
		inquire(w->self, &msg->u.ask, &w->in_unit);
		break;
	case RFK_MSG_GC:
		w->wants_gc = true;
		break;
	default:
		log_error("worker=%u: message %d is not for a worker",
		    w->self->slot, (int)msg->type);
		break;
	}
}

/*
 * An EOF may come before the end that it tells of, and it also comes to a
 * newborn of whom nobody knows, when its mold died before it said SPAWNED.
 */
static bool
master_lives(const struct worker *w)
{
	int fd = pidfd_open_pid(w->self->master_pid);
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	bool lives = fd >= 0 && poll(&pfd, 1, MASTER_END_MS) == 0;

	fd_close(&fd);
	return lives;
}

/*
 * What was begun is answered; nobody waits for the silent ones. With a master
 * the listeners are still everybody's: only an orphan may end them.
 */
static void
on_master_gone(struct worker *w)
{
	loop_unwatch(&w->loop, &w->channel);
	w->is_orphan = !master_lives(w);
	log_warn("worker=%u: %s", w->self->slot,
	    w->is_orphan ? "the master is gone"
			 : "the master does not know this worker: leaving");
	if (w->is_draining)
		w->kind->drain(w, w->drain_until_ms);
	worker_drain(w, RFK_EXIT_MASTER_GONE, drain_limit(w, 0));
}

static void
on_channel(struct loop_watch *watch, uint32_t events)
{
	struct worker *w =
	    (struct worker *)((char *)watch - offsetof(struct worker, channel));
	int fds[RFK_FDS_MAX], nfds, rc;
	struct rfk_msg msg;

	if ((events & EPOLLOUT) != 0)
		(void)chan_flush(w->self->master);
	while ((rc = chan_get(w->self->master, &msg, fds, &nfds)) > 0)
		on_message(w, &msg, fds, nfds);
	if (rc < 0)
		on_master_gone(w);
	else
		(void)loop_watch(&w->loop, &w->channel,
		    chan_pending(w->self->master) ? EPOLLIN | EPOLLOUT
						  : EPOLLIN);
}

/* The bits are looked at in each turn; the eventfd only ends the sleep. */
static void
on_wake(struct loop_watch *watch, uint32_t events)
{
	(void)watch;
	(void)events;
}

static void
signals_obey(struct worker *w, unsigned got)
{
	if ((got & SIGNALS_USR1) != 0)
		w->wants_reopen = true;
	if ((got & SIGNALS_USR2) != 0 &&
	    w->self->settings.personality == RFK_NATIVE)
		idle_volunteer(w, true);
	if ((got & (SIGNALS_QUIT | SIGNALS_TERM)) != 0)
		worker_drain(w, RFK_EXIT_SIGNAL, drain_limit(w, 0));
}

static void
leave_when_done(struct worker *w)
{
	bool rest = listen_rest(w);
	bool drained = w->kind->drained(w);

	w->is_leaving =
	    (drained && !rest) || w->loop.now_ms >= w->drain_until_ms;
}

/* True in the candidate. A kind may not be at a safe point yet. */
static bool
promote_wanted(struct worker *w)
{
	char text[256];
	int rc = 1;

	if (w->kind->may_promote != NULL)
		rc = w->kind->may_promote(w, text, sizeof(text));
	if (rc == 0)
		return false;
	w->wants_promotion = false;
	idle_title(w, "spawning mold");
	if (rc < 0) {
		promote_refuse(w, &w->promotion, text);
		return false;
	}
	if (promote(w, &w->promotion))
		return true;
	if (w->kind->promoted != NULL)
		w->kind->promoted(w);
	(void)loop_now(&w->loop);
	idle_title(w, w->is_draining ? "draining" : "idle");
	return false;
}

/* What the outside asked for, between two units: true in the candidate. */
static bool
obey(struct worker *w)
{
	unsigned got = signals_take();

	if (got != 0)
		signals_obey(w, got);
	if (w->wants_reopen)
		idle_reopen(w);
	if (w->wants_gc)
		relief_collect(w);
	if (w->wants_promotion && promote_wanted(w))
		return true;
	if (w->is_draining && !w->is_leaving)
		leave_when_done(w);
	return false;
}

struct sleeping {
	struct loop *loop;
	int timeout_ms;
	int got; /* events */
};

static void *
sleep_without_gvl(void *p)
{
	struct sleeping *s = p;

	s->got = loop_wait(s->loop, s->timeout_ms);
	return NULL;
}

/* Thread#raise or exit in another thread reach the main thread here. */
static void
interrupts_check(struct worker *w)
{
	struct ruby_error why;

	if (vm_check_interrupts(&why) == 0)
		return;
	if (why.is_exit)
		worker_leave(w, why.status);
	else if (why.is_signal)
		worker_drain(w, RFK_EXIT_SIGNAL, drain_limit(w, 0));
	else
		ruby_error_log("between two requests", &why);
}

static int
sleep_limit(struct worker *w)
{
	int retry_ms = collect_retry_ms();
	int limit_ms = retry_ms >= 0 ? retry_ms : BEAT_MS;

	if (w->is_draining) {
		uint64_t now_ms = clock_ms();

		if (w->drain_until_ms <= now_ms)
			return 0;
		if (w->last_call_ms > now_ms)
			limit_ms = (int)(w->last_call_ms - now_ms);
		if (w->drain_until_ms - now_ms < (uint64_t)limit_ms)
			limit_ms = (int)(w->drain_until_ms - now_ms);
	}
	return loop_left_ms(&w->loop, limit_ms);
}

/* Nobody else of ours wants the core, and no other Ruby thread the GVL. */
static bool
may_stay_awake(const struct worker *w, uint64_t now_us)
{
	return w->gap_us <= AWAKE_US && w->has_core &&
	       now_us >= w->awake_from_us && vm_is_alone();
}

static int
stay_awake(struct worker *w, uint64_t since_us)
{
	int n = 0;

	while (n == 0 && clock_us() - since_us < AWAKE_US)
		n = loop_wait(&w->loop, 0);
	/* The core was taken from us: others want it, or a quota is spent. */
	if (clock_us() - since_us > TAKEN_US)
		w->awake_from_us = since_us + SOBER_US;
	return n;
}

static void
pause_until_event(struct worker *w)
{
	struct sleeping s = { .loop = &w->loop, .got = 1 };
	uint64_t since_us = clock_us(), gap_us;

	if (!may_stay_awake(w, since_us) || stay_awake(w, since_us) == 0) {
		idle_waiting(w, clock_ms());
		listen_share(w);
		/* It has taken its time: what came meanwhile goes first. */
		if (!w->is_draining && collect_waiting())
			return;
		s.timeout_ms = sleep_limit(w);
		if (s.timeout_ms > 0)
			vm_without_gvl(sleep_without_gvl, &s);
		interrupts_check(w);
		if (s.got == 0)
			listen_idle(w);
	}
	gap_us = clock_us() - since_us;
	if (gap_us > 8 * AWAKE_US)
		gap_us = 8 * AWAKE_US;
	w->gap_us = (uint32_t)((7 * w->gap_us + gap_us) / 8);
}

static bool
accept_one(struct worker *w, int listener)
{
	w->accepted_last = listener;
	w->accept_again = !w->is_leaving && listen_accept(w, listener) > 0;
	return w->accept_again;
}

static void
look(struct worker *w, bool may_sleep)
{
	int n = loop_wait(&w->loop, 0);

	if (n == 0 && may_sleep)
		pause_until_event(w);
	loop_dispatch(&w->loop);
	w->accept_again = false;
	if (w->acceptable >= 0) {
		int listener = w->acceptable;

		w->acceptable = -1;
		if (!accept_one(w, listener))
			listen_look(w, listener);
	}
}

bool
turn_serve(struct worker *w)
{
	uint64_t looked_us = 0;

	while (!w->is_leaving) {
		bool did = w->kind->step(w);
		uint64_t now_us = clock_us();

		if (w->is_candidate) /* forked inside its unit of work */
			return true;
		if (did)
			idle_between(w, now_us);
		/* Where one connection came from there are often more. */
		if (!did && w->accept_again && now_us - looked_us < LOOK_US)
			did = accept_one(w, w->accepted_last);
		if (!did || now_us - looked_us >= LOOK_US) {
			look(w, !did && !w->is_leaving);
			looked_us = now_us;
		}
		if (obey(w))
			return true;
	}
	return false;
}

/* As many cores as workers: then waiting awake takes nobody's time. */
static bool
has_core(const struct worker *w)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) == 0 &&
	       CPU_COUNT(&set) >= w->self->settings.worker_processes;
}

int
turn_open(struct worker *w)
{
	int rc = loop_init(&w->loop);
	int fd;

	w->has_core = has_core(w);
	if (rc < 0)
		return rc;
	fd = signals_open(w->self);
	if (fd < 0)
		return fd;
	w->signals.fd = fd;
	w->signals.on = on_wake;
	w->channel.fd = chan_fd(w->self->master);
	w->channel.on = on_channel;
	rc = loop_watch(&w->loop, &w->signals, EPOLLIN);
	if (rc == 0)
		rc = loop_watch(&w->loop, &w->channel, EPOLLIN);
	return rc;
}
