/*
 * boot.h - the first life of a mold that was exec'd: START, the file, SETTINGS,
 * CONFIGURED, the application; up to where a candidate begins.
 *
 * Runs in:    mold
 * Owns:       nothing that outlives it; what it makes is self's and the VM's
 * After fork: not called again
 * Raises:     never
 */
#ifndef MOLD_BOOT_H
#define MOLD_BOOT_H

#include <stdbool.h>
#include <stddef.h>

struct self;
struct ruby_error;

/*
 * 0 = the application is loaded; else self->exit_status says what to leave
 * with: 0 after a check or a STOP, 1 after a FAILED. `board` is the
 * scoreboard's descriptor, for when this program has to exec itself once more.
 */
int boot_run(struct self *, int board);

/* FAILED to the master, after the same in the log; -ECANCELED. */
int boot_failed(struct self *, const char *what, const struct ruby_error *why);
int boot_failed_text(struct self *, bool is_config, const char *text);

#endif
