/*
 * rack.h - the kind "rack" of one worker: its connections and its settings.
 *
 * Runs in:    worker
 * Owns:       every connection, the queue of those with something to read
 * After fork: the candidate closes all of them (rack_forked)
 * Raises:     never
 */
#ifndef RACK_RACK_H
#define RACK_RACK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "http/head.h"
#include "worker/kind.h"
#include "worker/self.h"

struct conn;

struct rack {
	struct worker *worker; /* borrowed, as self, row and loop are */
	struct self *self;
	struct rfk_row *row;
	struct loop *loop;
	struct loop_lane head_lane;  /* a head that has begun */
	struct loop_lane body_lane;  /* between two arrivals of a body */
	struct loop_lane keep_lane;  /* kept, and silent */
	struct loop_lane write_lane; /* without progress */
	struct loop_lane linger_lane;
	struct conn *conns; /* all that are open */
	struct conn *spare; /* closed, to be used again */
	size_t nspare;
	struct conn *queue; /* something to read, first come first served */
	struct conn **queue_last;
	size_t queued;
	bool is_unix[RFK_LISTENERS_MAX];
	bool is_patched; /* gems have put something around process_client */
	bool keepalive;
	bool is_draining;
	uint64_t shed_ms;  /* the last look for an idle sibling */
	bool sibling_idle; /* what it saw */
	struct http_limits limits;
	unsigned http_flags;
	struct http_head head; /* of the request that runs */
};

/* True when another worker sleeps while this one has connections waiting. */
bool rack_should_shed(struct rack *);
void rack_count(_Atomic uint64_t *counter, uint64_t n);

#endif
