/*
 * session.c - from a spare worker to the client's program.
 */
#include "lease/session.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ruby/ruby.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "ipc/board.h"
#include "ipc/chan.h"
#include "ruby/hooks.h"
#include "ruby/try.h"
#include "worker/worker.h"

/* What a shell passes at most: arguments and environment. */
#define ARGS_MAX (4u << 20)
/* What lease_run returns in a copy that becomes a mold. */
#define PROMOTED (-1)
/* As a shell says of what it cannot run. */
#define STATUS_CANNOT 126

void
session_init(struct session *s)
{
	int i;

	memset(s, 0, sizeof(*s));
	for (i = 0; i < LEASELINE_FDS_MAX; i++)
		s->fds[i] = -1;
}

void
session_fini(struct session *s)
{
	int i;

	for (i = 0; i < LEASELINE_FDS_MAX; i++)
		fd_close(&s->fds[i]);
	buf_fini(&s->fields);
}

int
session_take(
    struct session *s, const struct rfk_msg *msg, int *take_fds, int nfds)
{
	const struct rfk_lease *lease = &msg->u.lease;
	int i, n = 0;

	for (i = 0; i < LEASELINE_FDS_MAX; i++)
		if ((lease->has & 1u << i) != 0 && n < nfds && !s->pending)
			s->fds[i] = take_fds[n++];
	if (n != nfds || s->pending ||
	    buf_put(&s->fields, msg->tail, msg->tail_len) < 0) {
		while (nfds > n)
			fd_close(&take_fds[--nfds]);
		return -EPROTO;
	}
	s->id = lease->id;
	s->umask = lease->umask;
	s->pending = true;
	return 0;
}

/* Where our own lines go: the client's stderr is not ours. */
static int log_fd = -1;

static bool
log_to(enum log_level level, const char *text, const char *body, void *unused)
{
	char line[2048];
	int n = snprintf(line, sizeof(line), "%s\n", text);

	(void)level;
	(void)body;
	(void)unused;
	if (n >= (int)sizeof(line))
		n = (int)sizeof(line) - 1;
	(void)!write(log_fd, line, (size_t)n);
	return true;
}

static int
become(int *take_fd, int as)
{
	int rc = 0;

	if (*take_fd < 0)
		return 0;
	if (dup2(*take_fd, as) < 0)
		rc = -errno;
	fd_close(take_fd);
	return rc;
}

/* What the client is, as far as a process is that by its descriptors. */
static int
enter(struct session *s)
{
	int rc = 0;

	promotion_remember();
	log_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	if (log_fd >= 0)
		log_sink_set(log_to, NULL);
	if (s->fds[LEASELINE_CWD] >= 0 && fchdir(s->fds[LEASELINE_CWD]) < 0) {
		rc = -errno;
		log_error("lease=%llu: its directory cannot be entered: %s",
		    (unsigned long long)s->id, strerror(-rc));
	}
	fd_close(&s->fds[LEASELINE_CWD]);
	if (s->umask != UINT32_MAX)
		(void)umask((mode_t)s->umask);
	if (rc == 0)
		rc = become(&s->fds[LEASELINE_STDIN], STDIN_FILENO);
	if (rc == 0)
		rc = become(&s->fds[LEASELINE_STDOUT], STDOUT_FILENO);
	if (rc == 0)
		rc = become(&s->fds[LEASELINE_STDERR], STDERR_FILENO);
	return rc;
}

void
session_forget(struct session *s)
{
	session_fini(s);
	promotion_undo();
	log_sink_set(NULL, NULL);
	fd_close(&log_fd);
}

/* A regular file or memfd, read from its beginning. */
static int
args_read(struct session *s, struct buf *out)
{
	int fd = s->fds[LEASELINE_ARGS];
	struct stat st;
	int rc = 0;

	if (fd < 0)
		return 0;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size < 0 ||
	    (uint64_t)st.st_size > ARGS_MAX)
		rc = -EINVAL;
	else
		rc = buf_reserve(out, (size_t)st.st_size);
	while (rc == 0 && out->len < (size_t)st.st_size) {
		ssize_t n = pread(fd, out->data + out->len,
		    (size_t)st.st_size - out->len, (off_t)out->len);

		if (n <= 0)
			rc = n < 0 ? -errno : -EINVAL;
		else
			out->len += (size_t)n;
	}
	fd_close(&s->fds[LEASELINE_ARGS]);
	if (rc < 0)
		log_error("lease=%llu: its arguments cannot be read: %s",
		    (unsigned long long)s->id, strerror(-rc));
	return rc;
}

struct running {
	const struct session *session;
	const struct buf *args;
	uint32_t generation;
	int status;
};

static VALUE
run_raises(VALUE p)
{
	struct running *r = (struct running *)p;
	const struct buf *fields = &r->session->fields;

	r->status = NUM2INT(rb_funcall(hooks_config(), rb_intern("lease_run"),
	    4, ULL2NUM(r->session->id),
	    rb_str_new(fields->data, (long)fields->len),
	    rb_str_new(r->args->data, (long)r->args->len),
	    UINT2NUM(r->generation)));
	return Qnil;
}

int
session_run(struct session *s, struct worker *w, int *signo)
{
	struct self *self = worker_self(w);
	struct buf args = BUF_INIT;
	struct running r = {
		.session = s, .args = &args, .generation = self->generation
	};
	struct ruby_error why;
	int rc;

	s->pending = false;
	s->running = true;
	*signo = 0;
	board_unit_begin(self->my_row, clock_ms(), 0, "LEASE", 5,
	    s->fields.data, s->fields.len > 0 ? strlen(s->fields.data) : 0);
	idle_title(w, "leased");
	guard_start(chan_fd(self->master),
	    (uint64_t)settings_drain_ms(&self->settings),
	    (uint64_t)self->settings.release_timeout);
	rc = args_read(s, &args);
	if (rc == 0)
		rc = enter(s);
	if (rc == 0) {
		signals_release();
		rc = ruby_try(run_raises, &r, &why);
	} else {
		r.status = STATUS_CANNOT;
		rc = 0;
	}
	buf_fini(&args);
	if (w->is_candidate && (rc < 0 || r.status != PROMOTED)) {
		if (rc < 0)
			ruby_error_log("Reforkd.promote", &why);
		_exit(1);
	}
	if (w->is_candidate)
		return 0;
	promotion_over();
	board_unit_end(self->my_row, RFK_WORK_HOOK, clock_ms());
	if (rc == 0)
		return r.status;
	if (why.is_signal)
		*signo = why.status;
	else if (!why.is_exit)
		ruby_error_log("lease", &why);
	return why.is_exit ? why.status : 1;
}
