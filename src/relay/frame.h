/*
 * frame.h - messages as language servers frame them: a header that says
 * Content-Length, an empty line, the body.
 *
 * Runs in:    reforkctl
 * Owns:       the bytes that have come and were not taken yet
 * After fork: does not fork
 * Raises:     never
 */
#ifndef RELAY_FRAME_H
#define RELAY_FRAME_H

#include <stddef.h>

#include "base/buf.h"
#include "base/fail.h"

#define FRAME_HEAD_MAX 4096
#define FRAME_BODY_MAX (64U << 20)

struct frame {
	struct buf bytes;
	size_t head; /* of the first message; 0 = its header is not whole */
	size_t body;
	size_t taken; /* what the last frame_next gave: dropped by the next */
};

void frame_fini(struct frame *);
int frame_put(struct frame *, const void *, size_t); /* 0, -ENOMEM */
/*
 * The next body, until the next call: 1, 0 = it has not come yet, -EPROTO with
 * why: where the next message begins is not known any more.
 */
int frame_next(
    struct frame *, const char **body, size_t *len, struct fail *why);
/* The other way: 0, -ENOMEM. */
int frame_write(struct buf *, const char *body, size_t len);

#endif
