/*
 * depart.h - an answer leaves: flushed while others are served, then the
 * connection is kept, closed, or lingers until its client has read it.
 *
 * Runs in:    worker
 * Owns:       nothing; bytes are the connection's out
 * After fork: nothing to do
 * Raises:     depart_wait_raises only, owning nothing
 */
#ifndef RACK_DEPART_H
#define RACK_DEPART_H

#include <stddef.h>

struct conn;

/* The answer is in c->out, or has gone: flush, then keep or close. */
void depart(struct conn *);
/* The socket takes more of it. */
void depart_more(struct conn *);
/* An answer of the server's own, then a lingering close. */
/* Puts the bytes of an error: 0, -errno. */
int depart_error(struct conn *, int status);
void depart_refuse(struct conn *, int status);
/* Waits, GVL released, until at most `most` bytes are pending. 0, -errno. */
int depart_wait_raises(struct conn *, size_t most);
/* SHUT_WR, read to EOF, close. */
void depart_linger(struct conn *);
void depart_linger_more(struct conn *);

#endif
