/*
 * reopen.h - log files after a rotation: every live Ruby File that is regular,
 * sync, append-only and whose path is another inode now, then stdout and
 * stderr (spec/unicorn: Util.reopen_logs). Owner and group are kept. And the
 * same files before a worker becomes another user.
 *
 * Runs in:    mold, worker
 * Owns:       nothing
 * After fork: unchanged
 * Raises:     never
 */
#ifndef RUBY_REOPEN_H
#define RUBY_REOPEN_H

#include <sys/types.h>

struct ruby_error;

int reopen_define(
    struct ruby_error *why); /* at the mold's boot: 0, -ECANCELED */
/* The next user's, who shall open them again: 0, or -ECANCELED (logged). */
int reopen_give(uid_t uid, gid_t gid);
int reopen_logs(void); /* number of files reopened, or -ECANCELED (logged) */

#endif
