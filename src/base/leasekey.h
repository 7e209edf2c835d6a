/*
 * leasekey.h - the key of a lease: the fields of LEASE that a pool's `key`
 * names, as "name=value" NUL for each name, in the order of the names.
 *
 * Two keys are the same when their bytes are. What a client sends as a value is
 * believed to be nothing but bytes.
 *
 * Runs in:    master
 * Owns:       nothing
 * After fork: unchanged
 * Raises:     never
 */
#ifndef BASE_LEASEKEY_H
#define BASE_LEASEKEY_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/fail.h"

/* Of a whole key: more is no project's path. */
#define LEASEKEY_MAX 1024

/*
 * names: "root,lock"; fields: "name=value" NUL ... of LEASE. 0, -ENOMEM, or
 * -EPROTO with *why for the client: one is missing, or all are too long.
 */
int leasekey_make(struct buf *out, const char *names, const struct buf *fields,
    struct fail *why);
bool leasekey_same(const struct buf *, const struct buf *);
/* "root=/home/me/shop lock=none", escaped, for people; cut to what fits. */
const char *leasekey_text(const struct buf *, char *out, size_t cap);

#endif
