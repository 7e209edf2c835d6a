/*
 * out.h - bytes on their way to one client: what the socket did not take yet,
 * and the rest of a file behind them.
 *
 * Runs in:    worker
 * Owns:       its memory and the file's descriptor
 * After fork: the candidate calls out_reset
 * Raises:     never
 */
#ifndef RACK_OUT_H
#define RACK_OUT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/buf.h"

struct out {
	struct buf buf;
	size_t at; /* bytes of buf that are sent */
	int file;  /* -1 = none */
	off_t file_at;
	uint64_t file_left;
	uint64_t sent; /* since out_reset */
	bool is_last;  /* a shutdown follows: data and FIN in one segment */
	int error;     /* 0, or the first -errno: nothing is sent any more */
};

void out_init(struct out *);
void out_fini(struct out *);
void out_reset(struct out *); /* drops what is there; keeps the memory */
/* Behind what waits, without sending. 0, -errno. */
int out_hold(struct out *, const void *, size_t);
/* Sends at once what the socket takes and keeps a copy of the rest. 0, -errno.
 */
int out_put(struct out *, int fd, const struct iovec *, int n);
/* The file comes last. */
void out_file(struct out *, int take_file, off_t at, uint64_t len);
size_t out_pending(const struct out *); /* bytes in memory, plus 1 for a file */
/* 0 = all sent, -EAGAIN, -errno. */
int out_flush(struct out *, int fd);

#endif
