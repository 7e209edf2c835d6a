/*
 * lifecycle.h - the table of a worker's life (lifecycle.def), as a function.
 *
 * Runs in:    master; pure
 * Owns:       nothing
 * After fork: unchanged
 * Raises:     never
 */
#ifndef MASTER_LIFECYCLE_H
#define MASTER_LIFECYCLE_H

enum life_state {
	LIFE_VACANT,
	LIFE_FORKING,
	LIFE_UNWANTED,
	LIFE_BOOTING,
	LIFE_SERVING,
	LIFE_MOLDING,
	LIFE_DRAINING,
	LIFE_KILLED,
	LIFE_STATES
};

enum life_event {
	LIFE_FORK,        /* the pool wants a worker here */
	LIFE_SPAWNED,     /* its mold has made it */
	LIFE_NOT_SPAWNED, /* its mold says that it could not */
	LIFE_MOLD_GONE,   /* its mold died before it answered */
	LIFE_READY,
	LIFE_PROMOTE,
	LIFE_PROMOTED,
	LIFE_REFUSED,
	LIFE_QUIT,
	LIFE_STALE, /* a deadline has passed */
	LIFE_KILL,  /* at once, by the operator's wish */
	LIFE_EXITED,
	LIFE_EVENTS
};

enum life_action {
	LIFE_DO_NOTHING,
	LIFE_DO_SEND_FORK,
	LIFE_DO_ADOPT,
	LIFE_DO_ADOPT_AND_QUIT,
	LIFE_DO_FORGET,
	LIFE_DO_KILL_MOLD,
	LIFE_DO_SERVE,
	LIFE_DO_SEND_QUIT,
	LIFE_DO_SEND_KILL,
	LIFE_DO_SEND_PROMOTE,
	LIFE_DO_TAKE_CANDIDATE,
	LIFE_DO_NOTE_REFUSAL,
	LIFE_DO_BURY,
};

struct life_move {
	enum life_state state;
	enum life_event event;
	enum life_state next;
	enum life_action action;
};

const struct life_move *lifecycle_move(enum life_state, enum life_event);
const char *lifecycle_state_name(enum life_state); /* "SERVING" */
const char *lifecycle_event_name(enum life_event);

#endif
