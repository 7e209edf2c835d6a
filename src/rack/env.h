/*
 * env.h - the Rack environment of one request.
 *
 * Runs in:    worker
 * Owns:       the template Hash, registered with the collector
 * After fork: made again by each worker (env_open_raises)
 * Raises:     its functions do, and own nothing
 */
#ifndef RACK_ENV_H
#define RACK_ENV_H

#include <ruby/ruby.h>

struct call;
struct rack;

VALUE env_open_raises(VALUE rack); /* (struct rack *) */
/* rack->head and the connection's body into call->env. */
void env_build_raises(struct call *);

/* What pitchfork's titles say of a request: its path, its X-Request-Id. */
void env_title_raises(const struct call *);

#endif
