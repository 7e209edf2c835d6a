/*
 * call.h - one request through the application: env, call, answer, close, and
 * what comes after it.
 *
 * Runs in:    worker
 * Owns:       nothing of the connection's; its VALUEs live on the C stack
 * After fork: no call runs then
 * Raises:     never
 */
#ifndef RACK_CALL_H
#define RACK_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include <ruby/ruby.h>

#include "rack/conn.h"

struct rack;

enum framing {
	FRAME_NONE,    /* no body may follow this head */
	FRAME_LENGTH,  /* Content-Length: left says how much is still due */
	FRAME_CHUNKED, /* ours */
	FRAME_CLOSE,   /* until the connection ends */
};

/*
 * On the stack of call_run, so that the collector finds its VALUEs. Objects
 * that point to it (hijack, stream, early hints) lose it when the call ends.
 */
struct call {
	struct rack *rack;
	struct conn *conn;
	VALUE env, status, headers, body;
	VALUE error;    /* what the application raised, nil */
	VALUE hijack;   /* the rack.hijack object */
	VALUE hints;    /* the rack.early_hints object, nil */
	VALUE stream;   /* of a streaming body, nil */
	VALUE io;       /* after a hijack: the socket as a Ruby IO, nil */
	VALUE input;    /* the File of a large body, nil */
	VALUE reader;   /* of a body that is still arriving, nil */
	VALUE streamed; /* the rack.input that it has, nil */
	VALUE partial;  /* the rack.hijack of the response's head, nil */
	int code;
	int refused; /* the status that a broken body deserves, 0 = none */
	enum framing framing;
	uint64_t left;     /* FRAME_LENGTH: bytes that are still due */
	bool is_head;      /* HEAD: the answer has no body */
	bool is_1_0;       /* no chunked coding for this client */
	bool is_0_9;       /* no head at all */
	bool head_begun;   /* bytes of the answer may have been sent */
	bool has_finished; /* the whole answer is in conn->out or sent */
	bool is_hijacked;  /* full: nothing is answered */
	bool is_raw;       /* the application has framed the body itself */
	bool has_length, has_close, has_trailer;
	bool in_trailers; /* the head is behind us */
};

/* The connection's request is complete, rack->head is its head. */
void call_run(struct conn *);

/* The worker's own objects; once per process that serves. 0, -ECANCELED. */
int call_open(struct rack *);

#endif
