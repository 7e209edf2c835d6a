/*
 * collect.c - the collector around a request, by the rule that is set.
 *
 * Before a request the collector is put on a leash (ruby/leash.h); after it
 * what it did inside is counted, and the rule is asked: room.c is ours,
 * others.c has those of others.
 */
#include "worker/collect.h"

#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "ipc/board.h"
#include "ruby/gcstat.h"
#include "ruby/gcwatch.h"
#include "ruby/leash.h"
#include "ruby/try.h"
#include "worker/others.h"
#include "worker/room.h"
#include "worker/self.h"

enum rule { RULE_NONE, RULE_ROOM, RULE_EVERY, RULE_DISCOURSE };

/* One heap in a process. It lives on through forks, with its estimates. */
static struct {
	bool is_open;
	enum rule rule;
	uint64_t leash_bytes, every;
	struct rfk_row *row;
	uint32_t slot;
	struct gcwatch began, ended;
	uint64_t majors, pulls;
	bool has_worked; /* a request has ended since collect_between */
} own;

static enum rule
rule_of(const struct rfk_settings_table *s)
{
	if (s->oob_gc == 0)
		return RULE_NONE;
	if (strcmp(s->oob_gc_rule, "every") == 0)
		return RULE_EVERY;
	if (strcmp(s->oob_gc_rule, "discourse") == 0)
		return RULE_DISCOURSE;
	return RULE_ROOM;
}

bool
collect_is_leashed(const struct rfk_settings_table *s)
{
	return rule_of(s) == RULE_ROOM;
}

int
collect_open(const struct rfk_settings_table *s)
{
	struct ruby_error why;
	int rc;

	own.rule = rule_of(s);
	own.leash_bytes = (uint64_t)s->oob_gc_leash;
	own.every = (uint64_t)s->oob_gc_every;
	room_open(s);
	rc = gcwatch_open(&why);
	if (rc == 0)
		rc = gcstat_open(&why);
	/* Where nothing is collected, nothing of GC's is touched. */
	if (rc == 0 && own.rule == RULE_ROOM)
		rc = leash_open(&why);
	own.is_open = rc == 0;
	if (rc < 0)
		ruby_error_log("oob_gc", &why);
	return rc;
}

void
collect_start(const struct self *self)
{
	own.row = self->my_row;
	own.slot = self->slot;
	if (!own.is_open)
		return;
	own.pulls = leash_pulls();
	if (own.rule == RULE_ROOM)
		room_start(self);
	own.majors = gcstat_majors();
	own.ended = gcwatch_read();
	others_start();
}

void
collect_begin(void)
{
	if (!own.is_open)
		return;
	/* Nothing to be read but after the marking. */
	own.began = room_is_sweeping() && room_requests() > 0 ? own.ended
							      : gcwatch_read();
	board_count(
	    &own.row->gc_out_us, (own.began.cpu_ns - own.ended.cpu_ns) / 1000);
	/* Else the leash would have it sweep to the end. */
	if (own.rule == RULE_ROOM && !room_is_sweeping())
		leash_on(own.leash_bytes);
	else if (own.rule == RULE_DISCOURSE)
		others_discourse_begin();
}

/* A collection inside, unless the application has asked for it itself. */
static void
miss_count(void)
{
	uint64_t majors = gcstat_majors();
	char by[32];

	if (own.ended.starts == own.began.starts)
		return;
	if (!gcstat_was_asked_for() && !leash_is_stressed()) {
		board_count(&own.row->gc_in_request, 1);
		board_count(&own.row->gc_major_in, majors != own.majors);
		gcstat_by(by, sizeof(by));
		if (own.rule == RULE_ROOM)
			log_debug("oob_gc: miss worker=%u request=%" PRIu64
				  " by=%s kind=%s cpu=%" PRIu64 " us",
			    own.slot, room_requests(), by,
			    majors != own.majors ? "major" : "minor",
			    (own.ended.cpu_ns - own.began.cpu_ns) / 1000);
	}
	own.majors = majors;
}

void
collect_end(void)
{
	uint64_t inside_us;

	if (!own.is_open)
		return;
	leash_off();
	own.has_worked = true;
	own.ended = gcwatch_read();
	inside_us = (own.ended.cpu_ns - own.began.cpu_ns) / 1000;
	room_ended(inside_us);
	board_count(&own.row->gc_in_us, inside_us);
	miss_count();
	if (leash_pulls() != own.pulls) {
		own.pulls = leash_pulls();
		board_count(&own.row->gc_pulls, 1);
	}
}

void
collect_between(void)
{
	if (!own.is_open || !own.has_worked)
		return;
	own.has_worked = false;
	switch (own.rule) {
	case RULE_NONE:
		break;
	case RULE_ROOM:
		if (room_between())
			own.majors = gcstat_majors();
		break;
	case RULE_EVERY:
		others_every(own.row, own.every);
		break;
	case RULE_DISCOURSE:
		others_discourse_between(own.row);
		break;
	}
}

bool
collect_waiting(void)
{
	if (!own.is_open || own.rule != RULE_ROOM || !room_waiting())
		return false;
	own.majors = gcstat_majors();
	return true;
}

int
collect_retry_ms(void)
{
	return own.rule == RULE_ROOM ? room_retry_ms() : -1;
}
