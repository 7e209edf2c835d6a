#include "mold/behalf.h"

#include <errno.h>
#include <stdio.h>

#include <reforkd/proto.h>

#include "base/buf.h"
#include "base/log.h"
#include "ipc/chan.h"
#include "mold/config.h"
#include "mold/state.h"
#include "ruby/hooks.h"
#include "ruby/try.h"
#include "worker/self.h"

/* The master's line: a logger that does not take it must not lose it. */
static void
line_log(const struct rfk_hook *about, const char *text, size_t len)
{
	static const enum log_level levels[] = { LOG_LV_DEBUG, LOG_LV_INFO,
		LOG_LV_WARN, LOG_LV_ERROR, LOG_LV_FATAL };
	enum log_level level =
	    about->slot <= LOG_LV_FATAL ? levels[about->slot] : LOG_LV_ERROR;
	struct ruby_error why;
	char line[8192];
	int rc = hooks_log((int)level, text, len, about->limit_ms, &why);

	if (rc == 0)
		return;
	snprintf(line, sizeof(line), "%.*s", (int)len, text);
	log_at(level, "%s", line);
	if (rc == -ECANCELED)
		log_warn("the file's logger did not take that line: %s (%s)",
		    why.message, why.class_name);
}

/* Too long for a message, or broken: the new master starts as this one did. */
static int
image_answer(struct self *self, const struct rfk_hook *about)
{
	struct rfk_msg msg = { .type = RFK_MSG_HOOKED };
	struct buf image = BUF_INIT;
	struct ruby_error why;
	int rc = config_exec_image(about->limit_ms, &image, &why);

	if (rc == -ECANCELED)
		ruby_error_log("before_exec", &why);
	else if (rc == 0 && image.len > RFK_TAIL_MAX)
		log_warn("before_exec: the environment's changes are too long "
			 "(%zu bytes): left out",
		    image.len);
	else if (rc == 0) {
		msg.tail = image.data;
		msg.tail_len = (uint32_t)image.len;
	}
	msg.u.hook = *about;
	rc = chan_put(self->master, &msg, NULL, 0);
	buf_fini(&image);
	return rc;
}

struct sentence {
	const struct rfk_hook *about;
	int signal;
};

static VALUE
sentence_raises(VALUE p)
{
	struct sentence *s = (struct sentence *)p;

	s->signal = NUM2INT(
	    rb_funcall(hooks_config(), rb_intern("timeout_signal_within"), 2,
		DBL2NUM(s->about->limit_ms / 1e3), INT2NUM(s->about->pid)));
	return Qnil;
}

/* What ends a worker over its limit, as the file decides for each. */
static int
signal_of(const struct rfk_hook *about)
{
	struct sentence s = { .about = about };
	struct ruby_error why;

	if (ruby_try(sentence_raises, &s, &why) < 0)
		ruby_error_log("timeout_signal", &why);
	return s.signal;
}

int
behalf_run(struct self *self, const struct rfk_msg *got)
{
	static const enum hook hooks[] = {
		[RFK_HOOK_AFTER_WORKER_EXIT] = HOOK_AFTER_WORKER_EXIT,
		[RFK_HOOK_AFTER_MONITOR_READY] = HOOK_AFTER_MONITOR_READY,
		[RFK_HOOK_AFTER_HARD_TIMEOUT] = HOOK_AFTER_HARD_TIMEOUT,
	};
	struct rfk_msg msg = { .type = RFK_MSG_HOOKED };
	const struct rfk_hook *about = &got->u.hook;
	struct ruby_error why;

	if (about->name == RFK_HOOK_BEFORE_EXEC)
		return image_answer(self, about);
	if (about->name == RFK_HOOK_LOG) {
		line_log(about, got->tail, got->tail_len);
	} else if (about->name >= RFK_HOOK_AFTER_WORKER_EXIT &&
		   about->name <= RFK_HOOK_AFTER_HARD_TIMEOUT) {
		if (hooks_about_worker(hooks[about->name], self, about, &why) <
		    0)
			ruby_error_log(hooks_name(hooks[about->name]), &why);
		state_send(self);
	}
	msg.u.hook = *about;
	if (about->name == RFK_HOOK_AFTER_HARD_TIMEOUT)
		msg.u.hook.status = signal_of(about);
	return chan_put(self->master, &msg, NULL, 0);
}
