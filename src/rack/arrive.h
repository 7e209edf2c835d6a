/*
 * arrive.h - reads a connection in its turn: the head, then the body.
 *
 * Runs in:    worker
 * Owns:       nothing; bytes go to the connection's buffers
 * After fork: nothing to do
 * Raises:     never
 */
#ifndef RACK_ARRIVE_H
#define RACK_ARRIVE_H

struct conn;

enum arrival {
	ARRIVE_MORE,     /* waits; watches and timers are set */
	ARRIVE_COMPLETE, /* rack->head is parsed, the body is there */
	ARRIVE_ENDED,    /* closed or refused */
};

enum arrival arrive(struct conn *);

#endif
