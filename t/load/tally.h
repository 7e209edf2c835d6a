/*
 * tally.h - what happened: answers, latencies, failures, and the ids file.
 *
 * Runs in:    t/load
 * Owns:       a table with one entry per request
 * After fork: never forks
 * Raises:     never
 */
#ifndef T_LOAD_TALLY_H
#define T_LOAD_TALLY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* FAILURE(name, word in the totals) */
#define FAILURES(FAILURE)                                                      \
	FAILURE(REFUSED, "refused")                                            \
	FAILURE(RESET, "reset")                                                \
	FAILURE(SHORT, "short")                                                \
	FAILURE(STATUS, "status")                                              \
	FAILURE(WRONG, "wrong")                                                \
	FAILURE(TIMEOUT, "timeout")                                            \
	FAILURE(UNCLOSED, "unclosed")                                          \
	FAILURE(MISSING, "missing")                                            \
	FAILURE(TWICE, "twice")                                                \
	FAILURE(NOTHING, "nothing")

enum failure {
#define FAILURE(name, word) FAIL_##name,
	FAILURES(FAILURE)
#undef FAILURE
	    FAIL_KINDS
};

struct tally {
	uint32_t requests, answered, idle_closed, late_resets, waits, ended;
	uint32_t failed[FAIL_KINDS];
	uint32_t allowed[FAIL_KINDS];
	uint32_t allowed_lost; /* resets and short answers together */
	uint32_t shown;
	int64_t last_us, gap_us, gap_at_us, start_us;
	uint32_t *latency_us;
	uint8_t *answered_id; /* by request number */
	uint8_t *filed_id;    /* how often the application filed it */
	uint32_t room;
};

int tally_allow(struct tally *, const char *kind_equals_n); /* 0, -EINVAL */
int tally_request(struct tally *, uint32_t n);              /* 0, -ENOMEM */
void tally_answer(struct tally *, uint32_t n, int64_t begun_us, int64_t now_us);
void tally_fail(struct tally *, enum failure, const char *id, const char *why);
int tally_verify(struct tally *, const char *path, const char *tag);
uint32_t tally_failed(const struct tally *);   /* beyond what is allowed */
uint32_t tally_report(struct tally *, FILE *); /* the same, and prints it */

#endif
