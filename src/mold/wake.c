#include "mold/wake.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/fd.h"
#include "mold/config.h"

static const int claimed[] = { SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1,
	SIGUSR2, SIGWINCH, SIGTTIN, SIGTTOU };

static int wake_fd = -1;
static _Atomic bool got_term;

static void
on_signal(int signo)
{
	uint64_t one = 1;
	int saved = errno;

	/* During the boot nobody polls: a load that hangs must end, too. */
	if (signo == SIGTERM && wake_fd < 0)
		_exit(1);
	if (signo == SIGTERM) {
		atomic_store(&got_term, true);
		(void)!write(wake_fd, &one, sizeof(one));
	}
	errno = saved;
}

int
wake_open(void)
{
	atomic_store(&got_term, false);
	wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return wake_fd >= 0 ? wake_fd : -errno;
}

void
wake_close(void)
{
	int fd = wake_fd;

	wake_fd = -1; /* first: a handler may still run */
	fd_close(&fd);
}

unsigned int
wake_claim(void)
{
	/* Not SIG_IGN: what the application spawns must not inherit it. */
	struct sigaction sa = { .sa_handler = on_signal,
		.sa_flags = SA_RESTART };
	unsigned int wanted = 0;
	unsigned int open;
	size_t i;

	for (i = 0; i < sizeof(claimed) / sizeof(claimed[0]); i++)
		wanted |= 1u << claimed[i];
	open = config_untrapped(wanted);
	sigemptyset(&sa.sa_mask);
	for (i = 0; i < sizeof(claimed) / sizeof(claimed[0]); i++)
		if ((open & (1u << claimed[i])) != 0)
			(void)sigaction(claimed[i], &sa, NULL);
	return wanted & ~open;
}

bool
wake_is_term(void)
{
	return atomic_load(&got_term);
}
