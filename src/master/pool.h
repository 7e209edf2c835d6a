/*
 * pool.h - one mold family and its slots: a kind of work, a current mold and
 * generation, settings, listeners.
 *
 * pool_touch marks it; before the loop sleeps pool_reconcile compares what
 * should be (wanted workers, generation) with what is, and does the next thing.
 *
 * Runs in:    master
 * Owns:       its children, molds, listeners and settings
 * After fork: the master's only forks exec at once
 * Raises:     never
 */
#ifndef MASTER_POOL_H
#define MASTER_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include <ev.h>

#include <reforkd/settings.h>

#include "base/buf.h"
#include "base/fail.h"
#include "master/child.h"
#include "master/hooks.h"
#include "master/keys.h"
#include "master/listener.h"
#include "master/moldlink.h"
#include "master/recycle.h"
#include "master/succession.h"

struct master;
struct memory;

#define POOL_OLD_MOLDS 8
/* The current one, the next one, the retired ones. */
#define POOL_MOLDS (POOL_OLD_MOLDS + 2)

struct pool {
	struct master *master;
	uint32_t index; /* of the master's list, and of its rows; 0 = default */
	char name[48];
	char label[64];      /* for logs: "pool=NAME ", "" = default */
	struct rfk_row *row; /* the first of its own on the board */
	struct pool *family; /* whose mold makes its workers (service.h) */
	bool is_leaving;     /* the file has it no more: stops, then is freed */
	bool has_ended;      /* stopping, and nothing of it is left */
	bool is_settled;     /* has had settings in force once */
	struct rfk_settings_table settings; /* in force */
	struct buf block; /* the same, as the mold has sent it */
	struct listeners listeners;
	struct listeners next_listeners; /* of a mold that boots */
	struct listeners dropped;        /* cut off, closed by the timer */
	ev_timer dropping;
	int bind_tries;
	struct child
	    *children;   /* 2 for each slot; child[2 * nr], child[2 * nr + 1] */
	uint32_t slots;  /* ever used: highest number + 1; memory beyond is
			    untouched */
	uint32_t wanted; /* workers: worker_processes, TTIN, TTOU */
	uint32_t generation;      /* of the current mold */
	uint32_t last_generation; /* the highest ever given out */
	uint32_t reloaded; /* the last reload's: older ones have other code */
	struct moldlink *mold;                /* the current one, NULL = none */
	struct moldlink *old[POOL_OLD_MOLDS]; /* retired, not yet gone */
	struct succession succession;
	unsigned int reopens; /* how often the logs were opened again */
	struct keyed keyed;   /* a pool of one key, or of keys */
	struct recycle recycle;
	struct memory *memory; /* limits, budget, refork :auto */
	struct hooks hooks;
	int state_fd; /* the current mold's STATE, -1 = none */
	uint64_t state_bytes;
	bool term_is_trapped;  /* by before_fork, for what it takes for us */
	unsigned int failures; /* workers that died early, in a row */
	unsigned int spawn_errors; /* starts that failed since a READY */
	unsigned int boot_failures;
	char boot_why[512];     /* of the last one */
	uint64_t not_before_ms; /* no fork or boot before: backoff */
	ev_timer backoff;
	bool done[RFK_SLOTS_MAX]; /* its run block has ended, for good */
	bool has_failed_run;      /* one of these with another status than 0 */
	bool dirty;
	bool serving; /* all wanted slots have served once: "ready" was said */
};

int pool_init(struct pool *, struct master *, uint32_t index, const char *name);
void pool_fini(struct pool *);
/* What a mold that boots must know of it, in START's "name=value" NUL. */
int pool_encode(const struct pool *, struct buf *out);
void pool_touch(struct pool *);
void pool_reconcile(struct pool *);

bool pool_is_default(const struct pool *);
bool pool_is_stopping(const struct pool *); /* with the master, or alone */
/* A child's row, which counts within its pool, on the whole board. */
uint32_t pool_board_row(const struct pool *, uint32_t row);

/* slots.c. A worker's two children; the one that serves (newest first), or
 * NULL. */
struct child *pool_child(struct pool *, uint32_t slot, int which);
struct child *pool_serving(struct pool *, uint32_t slot);
struct child *pool_vacant(struct pool *, uint32_t slot);
struct child *pool_by_token(struct pool *, uint64_t token);
struct child *pool_by_pid(struct pool *, pid_t);
/* lineage.c: its molds; i < POOL_MOLDS, NULL where there is none. */
struct moldlink *pool_mold_at(struct pool *, size_t i);
struct moldlink *pool_mold_by_pid(struct pool *, pid_t);
void pool_drain_molds(struct pool *); /* read what they have sent */
uint32_t pool_count(struct pool *, enum life_state);
uint32_t pool_alive(struct pool *); /* children that are not VACANT */
void pool_use_slots(struct pool *, uint32_t n);

/* tasks.c: whether a run block that has ended by itself begins again. */
void tasks_ended(struct pool *, const struct child *);
void tasks_again(struct pool *); /* all of them: the file is a new one */
bool tasks_over(struct pool *);  /* nothing of it will ever run again */

/* failures.c. True: not yet; the pool is touched again when the time has come.
 */
bool pool_backs_off(struct pool *);
/* Events from children and molds. */
void pool_child_ready(struct pool *, struct child *);
void pool_child_gone(struct pool *, struct child *, const char *cause);
void pool_mold_settings(struct pool *, struct moldlink *);
void pool_mold_ready(struct pool *, struct moldlink *);
void pool_mold_gone(struct pool *, struct moldlink *, const char *cause);
/* The mold's state is the pool's, for the next one that boots. */
void pool_take_state(struct pool *, struct moldlink *);
/* The next mold is now the one; the old is retired. */
void pool_install(struct pool *, struct moldlink *);
/* Of two workers that serve for one slot the older one goes. */
void pool_dropping_init(struct pool *); /* the timer of `dropped` */
void pool_elder_quit(struct pool *, uint32_t slot);

/* A mold that will never be the current one: ended, and mourned as a retired
 * one. */
void pool_discard(struct pool *, struct moldlink *);

void pool_scale(struct pool *, uint32_t wanted, const char *why);
void pool_reopen(struct pool *);
void pool_stop(struct pool *, bool graceful);

#endif
