/*
 * succession.h - from one generation to the next: a refork (a donor's
 * candidate), a reload (a freshly booted mold), or a recovery (the mold died).
 *
 *   NONE -> ASKED -> PREPARING -> CANARY -> ROLLING -> NONE
 *
 * One at a time; another request is queued and said so. Until the canary
 * serves, any failure leaves the old mold and generation as they are. Who
 * refuses to be the donor: refusal.h; the workers' turn: rollout.h; how it
 * ends: outcome.h.
 *
 * Runs in:    master
 * Owns:       the next mold, until it becomes the pool's current one
 * After fork: the master's only forks exec at once
 * Raises:     never
 */
#ifndef MASTER_SUCCESSION_H
#define MASTER_SUCCESSION_H

#include <stdbool.h>
#include <stdint.h>

#include <ev.h>

#include "master/outcome.h"

struct pool;
struct child;
struct moldlink;

enum succession_kind {
	SUCCESSION_REFORK,  /* from a warm worker */
	SUCCESSION_RELOAD,  /* HUP: a new mold by exec */
	SUCCESSION_RECOVER, /* the mold is gone: from a worker, else by exec */
};

enum succession_stage {
	SUCCESSION_NONE,
	SUCCESSION_ASKED,     /* PROMOTE was sent to the donor */
	SUCCESSION_PREPARING, /* the next mold exists and is not READY */
	SUCCESSION_CANARY,    /* the first replacement */
	SUCCESSION_ROLLING,   /* the others */
};

struct succession {
	enum succession_stage stage;
	enum succession_kind kind;
	bool by_hand;
	uint32_t generation; /* of the next mold */
	uint64_t token;      /* of the PROMOTE under way */
	struct child *donor;
	uint32_t donor_slot;   /* UINT32_MAX = none: a boot */
	struct moldlink *next; /* PREPARING and CANARY */
	struct child *canary;
	uint32_t preferred; /* slot to promote; UINT32_MAX = the warmest */
	uint64_t started_ms;
	uint64_t prepare_ms;        /* donor's fork to the candidate's READY */
	unsigned int refusers;      /* workers that refused */
	unsigned int refusals;      /* of all workers, in this one */
	unsigned int refusals_said; /* each with a line of its own */
	unsigned int donors_gone;   /* between their PROMOTE and an answer */
	char why[192];              /* what asked for it */
	char last_refusal[512];
	ev_timer retry; /* every donor refused: asked again */
	ev_timer canary_time;
	unsigned int retries;
	unsigned int failures; /* automatic ones that failed in a row */
	bool queued;           /* another one was asked for meanwhile */
	enum succession_kind queued_kind;
	char queued_why[192];
	/* The last one that ended, for status. */
	uint64_t last_ms;
	int last_rc;
	char last_text[512];
	struct outcome_waiter waiters[OUTCOME_WAITERS_MAX];
};

void succession_init(struct pool *);
void succession_fini(struct pool *);

/*
 * Starts one, or queues it. preferred: a slot number or UINT32_MAX. 0 = begun,
 * 1 = queued, -errno with why it cannot be (no worker, stopping).
 */
int succession_start(struct pool *, enum succession_kind, bool by_hand,
    uint32_t preferred, const char *why);
/* What the rest of the master tells it. */
void succession_candidate(
    struct pool *, struct child *donor, struct moldlink *);
void succession_refused(struct pool *, struct child *donor, const char *why);
void succession_mold_ready(struct pool *, struct moldlink *);
void succession_mold_gone(struct pool *, struct moldlink *, const char *why);
void succession_child_gone(struct pool *, struct child *, const char *why);
/* One look at what is next; pool_reconcile calls it. */
void succession_step(struct pool *);
bool succession_idle(struct pool *);
const char *succession_kind_name(enum succession_kind);
/* Asks again, or for another one, after a while. */
void succession_retry(struct pool *, double seconds);

#endif
