/*
 * environment.h - what a mold's start needs in its environment: what malloc
 * and Ruby read once, and too early for the configuration to say it.
 *
 * Runs in:    master, in the child that execs a mold
 * Owns:       nothing; base/environ.h keeps what was there before
 * After fork: called there, before the exec
 * Raises:     never
 */
#ifndef MASTER_ENVIRONMENT_H
#define MASTER_ENVIRONMENT_H

struct rfk_settings_table;

/*
 * The defaults, where the user has set nothing, and what the settings in force
 * ask for: a mold that finds what its file wants need not start twice. 0,
 * -errno.
 */
int environment_put(const struct rfk_settings_table *);

#endif
