/*
 * plan.h - what the next request will be: every choice comes from the seed.
 *
 * Runs in:    t/load
 * Owns:       nothing
 * After fork: never forks
 * Raises:     never
 */
#ifndef T_LOAD_PLAN_H
#define T_LOAD_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum plan_mode { PLAN_MIX, PLAN_GET, PLAN_POST };

struct planner {
	uint64_t seed;
	uint64_t state;
	char tag[40]; /* tells the ids of this run from those of others */
	uint32_t next;
	enum plan_mode mode;
	bool any;          /* whatever body a 200 has is right */
	bool plain;        /* nobody dawdles, expects or thinks by chance */
	unsigned think_ms; /* after each request */
};

struct plan {
	uint32_t n;
	char id[56];
	bool post;
	bool keep;    /* the connection is wanted again */
	bool expect;  /* sends its head, waits for 100, then the body */
	bool chunked; /* the request's body */
	bool any;     /* the planner's */
	bool stream;  /* the answer shall come without Content-Length */
	unsigned place;
	size_t body_len;
	size_t want;      /* bytes of filler the answer shall have */
	size_t dawdle_at; /* stops after so many bytes, 0 = never */
	unsigned dawdle_ms;
	unsigned think_ms; /* before the next request on the connection */
};

void plan_init(struct planner *, uint64_t seed, enum plan_mode);
void plan_next(struct planner *, bool keep, struct plan *);

#endif
