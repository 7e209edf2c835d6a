/*
 * spell.h - settings that a file writes otherwise than settings.def has them:
 * several rows in one directive, another unit, a default that is derived.
 *
 * Runs in:    master, with -t
 * Owns:       nothing
 * After fork: never forks
 * Raises:     never
 */
#ifndef MASTER_SPELL_H
#define MASTER_SPELL_H

#include <stdbool.h>

#include <reforkd/settings.h>

/* Prints the directive that a row begins; false: as settings.def has it. */
bool spell(const struct rfk_settings_table *, enum rfk_setting);
void spell_listen(const struct rfk_listen *);
void spell_refork(const struct rfk_settings_table *);

#endif
