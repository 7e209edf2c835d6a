/*
 * signals.c - a worker's signals: C handlers that set a bit and write an
 * eventfd, because Ruby's own run only when Ruby code runs.
 *
 * An application's trap replaces a handler silently and Ruby's default handler
 * is the same C function as a trap's, so who holds a signal is asked of Ruby:
 * Signal.trap answers with what was there before.
 */
#include "worker/worker.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "ipc/chan.h"
#include "ipc/wire.h"
#include "ruby/try.h"
#include "worker/kind.h"

/* What a handler may use. Set before a handler is, changed only in a child. */
static struct {
	int fd;      /* the eventfd */
	int channel; /* for the last word of a worker that leaves at once */
	int farewell_len;
	char farewell[64];
	bool term_at_once;
	_Atomic unsigned got;
	unsigned told; /* signals whose trap was logged */
} own = { .fd = -1, .channel = -1 };

struct claim {
	int signo;
	const char *name;
	bool always; /* an application's trap does not win */
};

static const struct claim claims[] = {
	{ SIGQUIT, "QUIT", true },
	{ SIGUSR1, "USR1", true },
	{ SIGTERM, "TERM", false },
	{ SIGINT, "INT", false },
	{ SIGHUP, "HUP", false },
	{ SIGUSR2, "USR2", false },
	{ SIGWINCH, "WINCH", false },
	{ SIGTTIN, "TTIN", false },
	{ SIGTTOU, "TTOU", false },
};
#define CLAIMS (sizeof(claims) / sizeof(claims[0]))

static unsigned
bit_of(int signo)
{
	switch (signo) {
	case SIGQUIT:
		return SIGNALS_QUIT;
	case SIGTERM:
		return SIGNALS_TERM;
	case SIGUSR1:
		return SIGNALS_USR1;
	case SIGUSR2:
		return SIGNALS_USR2;
	default:
		return 0; /* ignored, but not inherited by exec as SIG_IGN is */
	}
}

static void
on_signal(int signo)
{
	uint64_t one = 1;
	int saved = errno;

	if (signo == SIGINT || (signo == SIGTERM && own.term_at_once)) {
		(void)!send(own.channel, own.farewell, (size_t)own.farewell_len,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
		_exit(0);
	}
	atomic_fetch_or(&own.got, bit_of(signo));
	(void)!write(own.fd, &one, sizeof(one));
	errno = saved;
}

static void
handler_set(int signo)
{
	struct sigaction sa = { .sa_handler = on_signal,
		.sa_flags = SA_RESTART };

	sigemptyset(&sa.sa_mask);
	(void)sigaction(signo, &sa, NULL);
}

int
signals_open(const struct self *self)
{
	struct rfk_msg bye = { .type = RFK_MSG_EXITING };

	bye.u.exiting.why = RFK_EXIT_SIGNAL;
	own.farewell_len =
	    wire_encode(&bye, own.farewell, sizeof(own.farewell));
	if (own.farewell_len < 0)
		own.farewell_len = 0;
	own.channel = chan_fd(self->master);
	own.term_at_once = self->settings.personality == RFK_UNICORN;
	own.told = 0;
	atomic_store(&own.got, 0);
	own.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return own.fd >= 0 ? own.fd : -errno;
}

struct asking {
	const struct claim *claim;
	bool is_trapped;
};

static VALUE
trap_raises(const char *name, VALUE command)
{
	VALUE mod = rb_const_get(rb_cObject, rb_intern("Signal"));

	return rb_funcall(
	    mod, rb_intern("trap"), 2, rb_str_new_cstr(name), command);
}

/* The application's: a Proc, "EXIT" or "IGNORE". nil is a C handler: ours. */
static VALUE
ask_raises(VALUE p)
{
	struct asking *ask = (struct asking *)p;
	VALUE was = trap_raises(ask->claim->name, rb_str_new_cstr("DEFAULT"));

	if (NIL_P(was))
		return Qnil;
	if (RB_TYPE_P(was, T_STRING) &&
	    strcmp(StringValueCStr(was), "EXIT") != 0 &&
	    strcmp(StringValueCStr(was), "IGNORE") != 0)
		return Qnil;
	trap_raises(ask->claim->name, was);
	ask->is_trapped = true;
	return Qnil;
}

void
signals_claim(const struct self *self)
{
	struct ruby_error why;
	size_t i;

	for (i = 0; i < CLAIMS; i++) {
		struct asking ask = { .claim = &claims[i] };

		if ((!ask.claim->always || self->settings.signals_own) &&
		    ruby_try(ask_raises, &ask, &why) < 0)
			ruby_error_log("Signal.trap", &why);
		if (!ask.is_trapped) {
			handler_set(ask.claim->signo);
		} else if ((own.told & (1u << i)) == 0) {
			own.told |= 1u << i;
			log_info("worker=%u: the application traps SIG%s, "
				 "reforkd's own handler stays out",
			    self->slot, ask.claim->name);
		}
	}
}

bool
worker_traps(int signo)
{
	struct sigaction sa;

	return sigaction(signo, NULL, &sa) == 0 && sa.sa_handler != on_signal;
}

unsigned
signals_take(void)
{
	uint64_t count;

	if (atomic_load_explicit(&own.got, memory_order_relaxed) == 0)
		return 0;
	(void)!read(own.fd, &count, sizeof(count));
	return atomic_exchange(&own.got, 0);
}

void
signals_drop(void)
{
	int fd = own.fd;

	/* Closed last: a handler may still run. */
	own.fd = -1;
	own.channel = -1;
	own.farewell_len = 0;
	fd_close(&fd);
}

static VALUE
release_raises(VALUE unused)
{
	size_t i;

	(void)unused;
	for (i = 0; i < CLAIMS; i++) {
		if (!worker_traps(claims[i].signo))
			trap_raises(claims[i].name, rb_str_new_cstr("DEFAULT"));
	}
	return Qnil;
}

void
signals_release(void)
{
	struct ruby_error why;

	if (ruby_try(release_raises, NULL, &why) < 0)
		ruby_error_log("Signal.trap", &why);
	signals_drop();
}
