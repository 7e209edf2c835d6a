/*
 * wire.h - messages as bytes and back; pure, so that it can be fuzzed.
 *
 * Runs in:    master, mold, worker
 * Owns:       nothing
 * After fork: unchanged
 * Raises:     never
 */
#ifndef IPC_WIRE_H
#define IPC_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include <reforkd/proto.h>

#define WIRE_MAX (sizeof(struct rfk_msg) + 16 + RFK_TAIL_MAX)

const char *wire_name(enum rfk_type); /* "SPAWNED"; "?" for no type */

/* Bytes written, or -EMSGSIZE, -EINVAL (no such type). */
int wire_encode(const struct rfk_msg *, void *out, size_t cap);

/*
 * 0, or -EPROTO when type, sender, size, tail or number of descriptors are not
 * what messages.def says. `from` is the role at the other end; out->tail points
 * into `in`. Tails are not NUL-terminated.
 */
int wire_decode(const void *in, size_t len, int nfds, enum rfk_role from,
    struct rfk_msg *out);

#endif
