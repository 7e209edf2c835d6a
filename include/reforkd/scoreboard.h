/*
 * scoreboard.h - one row for each worker, in a memfd mapped by every process.
 *
 * A worker is the only writer of its row. The master reads rows as rumours: it
 * copies a row, then checks it, and never indexes or divides by what it read.
 * Single words are written with relaxed stores; the request's method and path
 * are guarded by `seq` (odd while they are being written).
 *
 * Runs in:    every process
 * Owns:       nothing; ipc/board.c owns the mapping
 * After fork: the child writes only the row its FORK message named
 * Raises:     never
 */
#ifndef REFORKD_SCOREBOARD_H
#define REFORKD_SCOREBOARD_H

#include <stdatomic.h>
#include <stdint.h>

#include <reforkd/proto.h>

#define RFK_BOARD_MAGIC 0x64726b6672ull
/* log2 buckets of microseconds: bucket i counts values < 2^i us; 2^31 us = 36
 * min. */
#define RFK_BUCKETS 32
#define RFK_PATH_MAX 160

enum rfk_work {
	RFK_WORK_NONE = 0, /* no worker in this row */
	RFK_WORK_BOOTING = 1,
	RFK_WORK_IDLE = 2,
	RFK_WORK_BUSY = 3,     /* a unit of work; deadline_ms says until when */
	RFK_WORK_DRAINING = 4, /* takes no new connection */
	RFK_WORK_HOOK = 5, /* callbacks, collection, forking: between units */
};

/* Times are CLOCK_MONOTONIC milliseconds (base/clock.h), unless said. */
struct rfk_row {
	_Alignas(64) _Atomic uint32_t work; /* enum rfk_work */
	_Atomic uint32_t generation;
	_Atomic int32_t pid;
	_Atomic uint32_t seq;
	_Atomic uint64_t born_ms;
	_Atomic uint64_t beat_ms;     /* at least once a second while idle */
	_Atomic uint64_t unit_ms;     /* start of the current unit, 0 = none */
	_Atomic uint64_t deadline_ms; /* of the current unit, 0 = none */
	_Atomic uint64_t requests;    /* since the fork */
	_Atomic uint64_t inherited; /* requests its ancestors served: warmth */
	_Atomic uint64_t errors;    /* answered 500 for an exception */
	_Atomic uint64_t refused;   /* answered 4xx by the server itself */
	_Atomic uint64_t accepted;  /* connections */
	_Atomic uint32_t kept;      /* connections held now */
	_Atomic uint32_t unsafe;    /* 1: last fork-safety check refused */
	_Atomic uint64_t faults_start; /* ru_minflt right after the fork */
	_Atomic uint64_t faults_now;
	_Atomic uint64_t gc_count;      /* collections since the fork */
	_Atomic uint64_t gc_in_request; /* requests with a collection inside */
	_Atomic uint64_t gc_major_in;   /* of these, with a major one */
	_Atomic uint64_t gc_hits;       /* collections between two requests */
	_Atomic uint64_t gc_waste;  /* of these: with most of the room unused */
	_Atomic uint64_t gc_in_us;  /* CPU time in the collector, in requests */
	_Atomic uint64_t gc_out_us; /* and between them */
	_Atomic uint64_t gc_saved_us; /* of that, what requests did not pay */
	_Atomic uint64_t gc_nursery;  /* bytes between two collections, now */
	_Atomic uint64_t gc_pulls; /* requests in which the leash was let go */
	_Atomic uint32_t collecting; /* 1: not to be reached now */
	_Atomic uint64_t bytes_in;
	_Atomic uint64_t bytes_out;
	_Atomic uint32_t queue_us[RFK_BUCKETS]; /* accept to call of the app */
	_Atomic uint32_t service_us[RFK_BUCKETS]; /* call of the app to sent */
	char method[24];
	char
	    path[RFK_PATH_MAX]; /* cut, NUL-terminated, as sent by the client */
};

/* What a pool's workers may want to know of it. */
struct rfk_board_pool {
	_Atomic uint32_t generation; /* of the current mold */
	_Atomic uint32_t workers;    /* wanted now (TTIN, TTOU) */
};

struct rfk_board {
	uint64_t magic;
	uint32_t protocol;
	uint32_t rows; /* RFK_BOARD_ROWS: RFK_ROWS_MAX for each pool */
	_Atomic int32_t master_pid;
	_Atomic uint32_t shutting_down;
	_Atomic uint32_t listeners_shared; /* another master serves them, too */
	struct rfk_board_pool pool[RFK_POOLS_MAX];
	_Alignas(64) struct rfk_row row[];
};

#endif
