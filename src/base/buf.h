/*
 * buf.h - a growing run of bytes.
 *
 * Runs in:    every process
 * Owns:       its memory, until buf_fini
 * After fork: the child's copy is its own
 * Raises:     never
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stddef.h>

struct buf {
	char *data; /* not NUL-terminated unless buf_cstr was asked */
	size_t len;
	size_t cap;
};

#define BUF_INIT                                                               \
	{                                                                      \
		0                                                              \
	}

void buf_fini(struct buf *);
void buf_reset(struct buf *);                    /* len = 0, keeps the memory */
int buf_reserve(struct buf *, size_t more);      /* 0, -ENOMEM */
int buf_put(struct buf *, const void *, size_t); /* 0, -ENOMEM */
int buf_puts(struct buf *, const char *);
int buf_printf(struct buf *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void buf_drop(struct buf *, size_t n); /* the first n bytes; n <= len */
const char *buf_cstr(struct buf *);    /* NUL-terminated, NULL = no memory */

#endif
