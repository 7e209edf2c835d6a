/*
 * hooks.h - the evaluated configuration: its callbacks, the application, the
 * logger.
 *
 * The Ruby side is mold/config.rb: Reforkd::Config (the DSL), and
 * mold/server.rb with Reforkd::Server and Reforkd::Worker (what callbacks get).
 *
 * Runs in:    mold, worker
 * Owns:       two registered VALUEs: the Reforkd::Config object and the app
 * After fork: inherited with the heap
 * Raises:     never
 */
#ifndef RUBY_HOOKS_H
#define RUBY_HOOKS_H

#include <stdbool.h>
#include <stdint.h>

#include <ruby/ruby.h>

struct self;
struct rfk_hook;
struct ruby_error;

enum hook {
#define HOOK(name, text) HOOK_##name,
#include "ruby/hooks.def"
#undef HOOK
	HOOK_COUNT
};

/* The mold's boot, once. Registered with the collector, pinned. */
void hooks_config_set(VALUE config);
/* Loads it as the file says: in the mold, or in each worker. 0, -ECANCELED. */
int hooks_app_load(const struct self *, struct ruby_error *why);
VALUE hooks_config(void); /* Reforkd::Config, nil before the boot */
VALUE hooks_app(void); /* what answers to call(env), nil before it is loaded */

bool hooks_has(enum hook);
const char *hooks_name(enum hook); /* as the file calls it */
/*
 * Calls the callback with what it takes: (server, worker), (server) ... ; the
 * arguments are made from *self. 0 (also when there is none), -ECANCELED.
 */
int hooks_run(enum hook, const struct self *, struct ruby_error *why);
int hooks_request_complete(
    const struct self *, VALUE env, struct ruby_error *why);
/*
 * Callbacks about another process, for the master: after_worker_exit,
 * after_monitor_ready, after_worker_hard_timeout. What a HOOK message says.
 */
int hooks_about_worker(enum hook, const struct self *, const struct rfk_hook *,
    struct ruby_error *why);
/* The unit's env, while it runs: the caller keeps it alive. nil afterwards. */
void hooks_unit(VALUE env);
/*
 * after_worker_timeout, in a Ruby thread that ends by itself, and in
 * pitchfork's files the worker with it; at a safe point of the main thread,
 * also in a trap's.
 */
int hooks_soft_timeout(const struct self *, struct ruby_error *why);
/*
 * What gems put around unicorn's worker_loop(worker) and process_client(client)
 * is called around ours. `body` gets `arg`; it may raise.
 */
enum hooks_patched { HOOKS_LOOP = 1, HOOKS_CLIENT = 2 };
unsigned int hooks_patched(void);
int hooks_around_loop(const struct self *, VALUE (*body_raises)(void *),
    void *arg, struct ruby_error *why);
void hooks_around_client_raises(VALUE (*body_raises)(void *), void *arg);
/* The loop was left by a new mold: unwinds what is around it. */
void hooks_promoted_raises(void);

/* Listeners that this worker's callbacks made: how many; duplicates. */
size_t hooks_listeners(int *give_fds, size_t cap);
void hooks_listeners_drop(void);

/*
 * A line for the file's own logger; severity is enum log_level's, limit_ms 0 =
 * none. 0, -ENOENT: it has none, or one that writes to stderr as we do;
 * -ECANCELED with *why (may be NULL): it raised, or took too long.
 */
int hooks_log(int severity, const char *text, size_t len, uint32_t limit_ms,
    struct ruby_error *why);

#endif
