/*
 * fake_master.h - the master's end of reforkd-mold's contract, for tests.
 *
 * Each test has a directory of its own with app.conf in it; the mold is exec'd
 * there as the master would, and what it says is asserted on.
 */
#ifndef FAKE_MASTER_H
#define FAKE_MASTER_H

#include <check.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <reforkd/settings.h>
#include <reforkd/version.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "ipc/board.h"
#include "ipc/chan.h"
#include "ipc/wire.h"

struct fake {
	char dir[64];
	pid_t mold;
	struct chan *chan;
	struct rfk_board *board;
	struct rfk_msg msg; /* the last one, its text copied below */
	char text[RFK_TAIL_MAX + 1];
	int fds[RFK_FDS_MAX];
	int nfds;
};

static struct fake fake;

/* A file in the test's directory. */
static void
fake_write(const char *name, const char *text)
{
	char path[PATH_MAX];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", fake.dir, name);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	ck_assert_int_eq(fclose(f), 0);
}

static void
fake_setup(void)
{
	int fd;

	snprintf(fake.dir, sizeof(fake.dir), "/tmp/reforkd-unit.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(fake.dir));
	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	fake.board = board_make(&fd);
	ck_assert_ptr_nonnull(fake.board);
	fd_close(&fd);
	unsetenv("RACK_ENV");
	unsetenv("PORT");
	unsetenv("WEB_CONCURRENCY");
	fake_write("config.ru", "run ->(env) { [200, {}, []] }\n");
}

static void
fake_teardown(void)
{
	char command[128];

	chan_close(fake.chan);
	snprintf(command, sizeof(command), "rm -rf '%s'", fake.dir);
	ck_assert_int_eq(system(command), 0);
}

static void
fake_exec(int channel, int board)
{
	char exe[PATH_MAX];
	char number[32];
	const char *own = getenv("REFORKD_MOLD_EXE");
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	ck_assert_int_gt(n, 0);
	exe[n] = '\0';
	snprintf(exe + strlen(dirname(exe)), 32, "/../../reforkd-mold");
	snprintf(number, sizeof(number), "%d,%d", channel, board);
	setenv("REFORKD_MOLD", number, 1);
	setenv("ASAN_OPTIONS", "detect_leaks=0", 1); /* a VM frees nothing */
	fd_cloexec(channel, false);
	fd_cloexec(board, false);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (chdir(fake.dir) == 0)
		execl(own != NULL ? own : exe, "reforkd-mold", "-e", "", NULL);
	perror(exe);
	_exit(127);
}

static void
fake_put(const struct rfk_msg *msg, const int *fds, int nfds)
{
	ck_assert_int_eq(chan_put(fake.chan, msg, fds, nfds), 0);
}

/* "name=value" strings, NULL at the end. */
static void
fake_start(const char *const *options)
{
	struct rfk_msg msg = { .type = RFK_MSG_START };
	struct buf tail = BUF_INIT;
	int pair[2], board;

	for (; options != NULL && *options != NULL; options++)
		ck_assert_int_eq(
		    buf_put(&tail, *options, strlen(*options) + 1), 0);
	ck_assert_int_eq(chan_pair(pair), 0);
	ck_assert_ptr_nonnull(board_make(&board));
	fake.mold = fork();
	if (fake.mold == 0)
		fake_exec(pair[1], board);
	fd_close(&pair[1]);
	fd_close(&board);
	fake.chan = chan_open(pair[0], RFK_MOLD);
	msg.u.start.protocol = RFK_PROTOCOL;
	msg.u.start.master_pid = getpid();
	msg.tail = tail.data;
	msg.tail_len = (uint32_t)tail.len;
	fake_put(&msg, NULL, 0);
	buf_fini(&tail);
}

static void
fake_start_conf(const char *conf)
{
	const char *const options[] = { "config=app.conf", NULL };

	fake_write("app.conf", conf);
	fake_start(options);
}

/* The next message of a channel, whatever it is. */
static void
fake_next(struct chan *chan)
{
	uint64_t until_ms = clock_ms() + 30000;
	int rc;

	while ((rc = chan_get(chan, &fake.msg, fake.fds, &fake.nfds)) == 0)
		ck_assert_int_eq(chan_wait(chan, until_ms), 1);
	ck_assert_int_eq(rc, 1);
	memcpy(fake.text, fake.msg.tail, fake.msg.tail_len);
	fake.text[fake.msg.tail_len] = '\0';
}

static void
fake_expect(struct chan *chan, enum rfk_type type)
{
	fake_next(chan);
	ck_assert_msg(fake.msg.type == type, "%s came, %s was expected: %s",
	    wire_name(fake.msg.type), wire_name(type),
	    fake.msg.type == RFK_MSG_SETTINGS ? "" : fake.text);
}

/* The value of a setting, or NULL when it was not sent; of a listener
 * without its place. Valid until the next call. */
static inline const char *
fake_setting(const char *name)
{
	static char value[8192];
	size_t len = strlen(name);
	const char *p = fake.text;

	for (; p < fake.text + fake.msg.tail_len; p += strlen(p) + 1)
		if (strncmp(p, name, len) == 0 && p[len] == '=') {
			snprintf(value, sizeof(value), "%s", p + len + 1);
			if (strstr(value, "\tplace=") != NULL)
				*strstr(value, "\tplace=") = '\0';
			return value;
		}
	return NULL;
}

/* Waits for the end of a process: its exit status, or -signal. */
static int
fake_end(pid_t pid)
{
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* One listener for the mold. */
static inline void
fake_configure(void)
{
	struct rfk_msg msg = { .type = RFK_MSG_CONFIGURED };
	/* As the master's: a blocking one would hold a worker that drains. */
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	ck_assert_int_eq(listen(fd, 5), 0);
	msg.u.configured.listeners = 1;
	fake_put(&msg, &fd, 1);
}

#endif
