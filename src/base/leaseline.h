/*
 * leaseline.h - one message of the lease protocol, read by leases.def.
 *
 * The master takes what clients send, and believes none of it; a client reads
 * the answers with the same code. docs/leases.md is the protocol.
 *
 * Runs in:    master, reforkctl
 * Owns:       nothing: it points into the line it was made from
 * After fork: unchanged
 * Raises:     never
 */
#ifndef BASE_LEASELINE_H
#define BASE_LEASELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fail.h"
#include "base/record.h"

/* A datagram, and the descriptors of one. */
#define LEASELINE_MAX 4096
#define LEASELINE_FDS_MAX 5
/* Of a field's name. */
#define LEASELINE_NAME_MAX 32

enum leaseline_sender { LEASELINE_CLIENT = 1, LEASELINE_SERVER = 2 };

enum leaseline_verb {
#define LEASE_MSG(name, senders, min_fds, max_fds, needs, may) LEASELINE_##name,
#include <reforkd/leases.def>
#undef LEASE_MSG
	LEASELINE_VERBS
};

/* What a descriptor that comes with LEASE is for: bit i of leaseline.fds. */
enum leaseline_fd {
	LEASELINE_STDIN,
	LEASELINE_STDOUT,
	LEASELINE_STDERR,
	LEASELINE_CWD,  /* a directory */
	LEASELINE_ARGS, /* a file of "arg=..." NUL and "env=NAME=..." NUL */
};

struct leaseline {
	enum leaseline_verb verb;
	struct record record; /* its fields, unescaped */
};

const char *leaseline_name(enum leaseline_verb);
/*
 * Takes the datagram apart in place; `line` has room for one byte more than
 * len. 0, or -EPROTO with *why for the peer.
 */
int leaseline_parse(struct leaseline *, char *line, size_t len, int nfds,
    enum leaseline_sender from, struct fail *why);

/* "" when there is none. */
const char *leaseline_text(const struct leaseline *, const char *field);
/* A decimal number: 0, -ENOENT, -EPROTO (not one, or above max). */
int leaseline_count(
    const struct leaseline *, const char *field, uint64_t max, uint64_t *out);
/* "TERM" or "SIGTERM": its number, or -EINVAL. */
int leaseline_signal(const char *name);
/* The other way; a number where it has no name here. */
const char *leaseline_signal_name(int signo, char *out, size_t cap);
/*
 * What LEASE's `fds` says of its descriptors: place[i] is the index of what
 * enum leaseline_fd i is, -1 = it does not come. -EPROTO: they are not what
 * it says.
 */
int leaseline_places(const struct leaseline *, int nfds,
    int place[LEASELINE_FDS_MAX], struct fail *why);

#endif
