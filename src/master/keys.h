/*
 * keys.h - a pool whose leases have a key: one pool of its own for each key.
 *
 * The pool that the file names is a pattern: its mold has evaluated the file
 * and forks nothing. A key that is leased for the first time gets a pool like
 * any other (NAME.1, NAME.2, ...), whose mold boots for that key, in the key's
 * root. So spares, reforks, promotions and drains are what they are elsewhere,
 * and a key that does not boot is one pool that does not boot.
 *
 * There are never more than max_molds that live: the one that was used least
 * recently and has no leases makes room, and the new one boots when it has
 * gone. After idle_timeout without leases each goes by itself.
 *
 * Runs in:    master
 * Owns:       nothing: pools.h has the pools
 * After fork: the master's only forks exec at once
 * Raises:     never
 */
#ifndef MASTER_KEYS_H
#define MASTER_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include <ev.h>

#include "base/buf.h"
#include "base/fail.h"

struct lease;
struct master;
struct pool;
struct spares;

/* In each pool. */
struct keyed {
	struct pool *of; /* the pattern; NULL = this is no pool of a key */
	struct buf key;  /* base/leasekey.h */
	char names[256]; /* the pattern's `key` when it was made */
	uint64_t used_ms;
	ev_timer idle;
	uint32_t made; /* of a pattern: how many it has had */
};

void keys_init(struct pool *);
void keys_fini(struct pool *);
/* Its workers are in pools of its keys, not here. */
bool keys_is_pattern(const struct pool *);
/* The name in the file, by which clients know it. */
const char *keys_name(const struct pool *);
/*
 * The pool of this lease's key, made when there is none yet. NULL: *code and
 * *why are the answer.
 */
struct pool *keys_pool(struct pool *pattern, const struct lease *,
    const char **code, struct fail *why);
/* A lease of it has begun or ended. */
void keys_used(struct pool *);
/* A first mold boots for somebody who waits, and when there is room for it. */
bool keys_may_boot(struct pool *);
/* The pattern has other settings now, or leaves: so be it with its keys. */
void keys_follow(struct pool *pattern);
/* One of its keys has gone: another one may boot. */
void keys_room(struct pool *pattern);
bool keys_any(const struct pool *pattern);
/* Over all keys. */
void keys_count(struct pool *pattern, struct spares *);
/* What its mold's START says of it: "name=value" NUL ... */
int keys_encode(const struct pool *, struct buf *out);

#endif
