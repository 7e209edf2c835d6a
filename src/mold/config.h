/*
 * config.h - the configuration file and the application, from C: every step is
 * a method of the Ruby in mold/ *.rb, reached through ruby_try.
 *
 * Runs in:    mold, at its boot
 * Owns:       nothing; the Config object is ruby/hooks.c's
 * After fork: inherited
 * Raises:     never
 */
#ifndef MOLD_CONFIG_H
#define MOLD_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include <reforkd/proto.h>

#include "base/buf.h"

struct ruby_error;

/* The functions return 0, or -ECANCELED with *why. */
int config_define(struct ruby_error *why); /* our Ruby, and Reforkd::SETTINGS */
/* START's tail: finds and evaluates the file. `state` may be empty. */
int config_evaluate(const char *tail, size_t len, const struct buf *state,
    struct ruby_error *why);
/* The tail of SETTINGS. */
int config_settings(
    struct buf *out, enum rfk_personality *, struct ruby_error *why);
/* What USR2 executes, after before_exec: "name=value" NUL ... */
int config_exec_image(
    uint32_t limit_ms, struct buf *out, struct ruby_error *why);
void config_notes_log(void); /* what is ignored, one line each */
int config_outputs_reopen(struct ruby_error *why); /* stderr_path, umask ... */
/* Is it a mistake of the operator's, whose message is the whole line? */
bool config_is_mistake(const struct ruby_error *why);
/* The bits of `signos` (1 << n, n < 32) that no trap of the application has. */
unsigned int config_untrapped(unsigned int signos);

#endif
