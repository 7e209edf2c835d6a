/*
 * The table, found by state and event. Forty rows: a linear search is what a
 * death or a fork can afford.
 */
#include "master/lifecycle.h"

#include <stddef.h>

static const struct life_move moves[] = {
#define LIFE(state, event, next, action)                                       \
	{ LIFE_##state, LIFE_##event, LIFE_##next, LIFE_DO_##action },
#include "master/lifecycle.def"
#undef LIFE
};

const struct life_move *
lifecycle_move(enum life_state state, enum life_event event)
{
	size_t i;

	for (i = 0; i < sizeof(moves) / sizeof(moves[0]); i++)
		if (moves[i].state == state && moves[i].event == event)
			return &moves[i];
	return NULL;
}

const char *
lifecycle_state_name(enum life_state state)
{
	static const char *const names[LIFE_STATES] = {
		[LIFE_VACANT] = "VACANT",
		[LIFE_FORKING] = "FORKING",
		[LIFE_UNWANTED] = "UNWANTED",
		[LIFE_BOOTING] = "BOOTING",
		[LIFE_SERVING] = "SERVING",
		[LIFE_MOLDING] = "MOLDING",
		[LIFE_DRAINING] = "DRAINING",
		[LIFE_KILLED] = "KILLED",
	};

	return state < LIFE_STATES ? names[state] : "?";
}

const char *
lifecycle_event_name(enum life_event event)
{
	static const char *const names[LIFE_EVENTS] = {
		[LIFE_FORK] = "FORK",
		[LIFE_SPAWNED] = "SPAWNED",
		[LIFE_NOT_SPAWNED] = "NOT_SPAWNED",
		[LIFE_MOLD_GONE] = "MOLD_GONE",
		[LIFE_READY] = "READY",
		[LIFE_PROMOTE] = "PROMOTE",
		[LIFE_PROMOTED] = "PROMOTED",
		[LIFE_REFUSED] = "REFUSED",
		[LIFE_QUIT] = "QUIT",
		[LIFE_STALE] = "STALE",
		[LIFE_KILL] = "KILL",
		[LIFE_EXITED] = "EXITED",
	};

	return event < LIFE_EVENTS ? names[event] : "?";
}
