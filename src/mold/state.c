#include "mold/state.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "ipc/chan.h"
#include "ruby/hooks.h"
#include "ruby/try.h"
#include "worker/self.h"

#define SEALS (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

struct dumping {
	bool all;
	int rc; /* the results: -errno, */
	int fd; /* -1 = nothing new, */
	size_t bytes;
};

/* Nobody writes it any more: the reader's length stays what it was. */
static int
memfd_of(const char *bytes, size_t len, int *give_fd)
{
	int fd = memfd_create("reforkd-state", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int rc;

	if (fd < 0)
		return -errno;
	rc = fd_write_all(fd, bytes, len);
	if (rc == 0 && fcntl(fd, F_ADD_SEALS, SEALS) < 0)
		rc = -errno;
	if (rc < 0)
		fd_close(&fd);
	*give_fd = fd;
	return rc;
}

static VALUE
dump_raises(VALUE p)
{
	struct dumping *d = (struct dumping *)p;
	VALUE bytes = rb_funcall(hooks_config(), rb_intern("state_dump"), 1,
	    d->all ? Qtrue : Qfalse);

	if (NIL_P(bytes))
		return Qnil;
	StringValue(bytes);
	d->bytes = (size_t)RSTRING_LEN(bytes);
	d->rc = memfd_of(RSTRING_PTR(bytes), d->bytes, &d->fd);
	RB_GC_GUARD(bytes);
	return Qnil;
}

static void
dump(struct dumping *d)
{
	struct ruby_error why;

	if (ruby_try(dump_raises, d, &why) < 0)
		ruby_error_log("the state for the next mold", &why);
	else if (d->rc < 0)
		log_warn("the state for the next mold cannot be kept: %s",
		    strerror(-d->rc));
}

int
state_make(bool all)
{
	struct dumping d = { .all = all, .fd = -1 };

	dump(&d);
	return d.fd;
}

void
state_send(struct self *self)
{
	struct rfk_msg msg = { .type = RFK_MSG_STATE };
	struct dumping d = { .fd = -1 };

	dump(&d);
	if (d.fd < 0)
		return;
	msg.u.state.bytes = d.bytes;
	(void)chan_put(self->master, &msg, &d.fd, 1);
}

int
state_read(int fd, struct buf *out)
{
	char block[16384];
	struct stat st;
	ssize_t n;
	int rc = 0;

	if (fd < 0)
		return 0;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size > RFK_STATE_MAX)
		return -EMSGSIZE;
	/* Not read: the offset is the master's, too. */
	while (rc == 0 &&
	       (n = pread(fd, block, sizeof(block), (off_t)out->len)) > 0)
		rc = buf_put(out, block, (size_t)n);
	return rc;
}

static VALUE
restore_raises(VALUE p)
{
	const struct buf *bytes = (const struct buf *)p;

	return rb_funcall(hooks_config(), rb_intern("state_restore"), 1,
	    rb_str_new(bytes->data, (long)bytes->len));
}

void
state_take(const struct self *self, int fd)
{
	struct buf bytes = BUF_INIT;
	struct ruby_error why;
	int rc = state_read(fd, &bytes);

	if (rc < 0)
		log_warn("mold gen=%u: the state cannot be read: %s",
		    self->generation, strerror(-rc));
	else if (ruby_try(restore_raises, &bytes, &why) < 0)
		ruby_error_log("the state of the last mold", &why);
	buf_fini(&bytes);
}
