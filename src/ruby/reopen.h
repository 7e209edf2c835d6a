/*
 * reopen.h - log files after a rotation: every live Ruby File that is regular,
 * sync, append-only and whose path is another inode now, then stdout and
 * stderr (spec/unicorn: Util.reopen_logs). Owner and group are kept.
 *
 * Runs in:    mold, worker
 * Owns:       nothing
 * After fork: unchanged
 * Raises:     never
 */
#ifndef RUBY_REOPEN_H
#define RUBY_REOPEN_H

struct ruby_error;

int reopen_define(
    struct ruby_error *why); /* at the mold's boot: 0, -ECANCELED */
int reopen_logs(void); /* number of files reopened, or -ECANCELED (logged) */

#endif
