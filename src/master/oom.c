#include "master/oom.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"

/* -1000 would be "never": a leak must end somewhere. */
#define SCORE_MIN (-999)
#define SCORE_MAX 1000

int
oom_score(enum oom_role role, int base, bool may_lower)
{
	static const int raised[] = { 0, 100, 200 };
	static const int lowered[] = { -400, -200, 0 };
	int score = base + (may_lower ? lowered[role] : raised[role]);

	if (score > SCORE_MAX)
		return SCORE_MAX;
	if (score < SCORE_MIN)
		return base < SCORE_MIN ? base : SCORE_MIN;
	return score;
}

static int
write_score(pid_t pid, int score)
{
	char path[64], text[16];
	int fd, rc, n;

	snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", (int)pid);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = snprintf(text, sizeof(text), "%d", score);
	rc = write(fd, text, (size_t)n) == n ? 0 : -errno;
	fd_close(&fd);
	return rc;
}

static int64_t
wanted(const struct rfk_settings_table *s, enum oom_role role)
{
	const int64_t scores[OOM_ROLES] = { s->oom_score_adj_master,
		s->oom_score_adj_mold, s->oom_score_adj_worker };

	return scores[role];
}

static int
score_of(
    const struct oom *o, const struct rfk_settings_table *s, enum oom_role role)
{
	int64_t score = wanted(s, role);

	return score != OOM_SCORE_UNSET
		   ? (int)score
		   : oom_score(role, o->base, o->may_lower);
}

/* Whether it may be lowered is only known by trying. */
void
oom_init(struct oom *o)
{
	char text[32];
	int rc;

	memset(o, 0, sizeof(*o));
	if (fd_read_file("/proc/self/oom_score_adj", text, sizeof(text)) <= 0)
		return;
	o->is_known = true;
	o->base = atoi(text);
	rc = write_score(getpid(), oom_score(OOM_MASTER, o->base, true));
	o->may_lower = rc == 0;
	if (rc < 0)
		log_debug("oom_score_adj of the master stays %d (%s): molds "
			  "and workers get higher ones",
		    o->base, strerror(-rc));
}

static void
complain(const struct rfk_settings_table *s, enum oom_role role, pid_t pid,
    int score, int rc)
{
	static const char *const names[] = { "master", "mold", "worker" };
	const char *remedy = rc == -EACCES
				 ? "below what it was started with takes "
				   "CAP_SYS_RESOURCE, or OOMScoreAdjust= of "
				   "systemd"
				 : "the kernel may end the mold before a "
				   "worker";

	if (wanted(s, role) != OOM_SCORE_UNSET)
		log_warn("oom_score_adj %s: %d: %s (%s); pid=%d keeps its own",
		    names[role], score, strerror(-rc), remedy, (int)pid);
	else
		log_warn("oom_score_adj of pid=%d cannot be set to %d: %s (%s)",
		    (int)pid, score, strerror(-rc), remedy);
}

void
oom_apply(struct oom *o, const struct rfk_settings_table *s)
{
	int score = score_of(o, s, OOM_MASTER);
	int rc;

	memset(o->has_failed, 0, sizeof(o->has_failed));
	if (!o->is_known)
		return;
	rc = write_score(getpid(), score);
	if (rc < 0)
		complain(s, OOM_MASTER, getpid(), score, rc);
}

void
oom_set_early(
    const struct oom *o, const struct rfk_settings_table *s, enum oom_role role)
{
	if (o->is_known)
		(void)write_score(getpid(), score_of(o, s, role));
}

void
oom_set(struct oom *o, const struct rfk_settings_table *s, enum oom_role role,
    pid_t pid)
{
	int score = score_of(o, s, role);
	int rc;

	if (!o->is_known)
		return;
	rc = write_score(pid, score);
	/* A process that has just ended has no score to set. */
	if (rc == 0 || rc == -ENOENT || rc == -ESRCH || o->has_failed[role])
		return;
	o->has_failed[role] = true;
	complain(s, role, pid, score, rc);
}
