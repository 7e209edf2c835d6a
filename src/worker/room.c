/* room.c - our own rule: samples go to src/gc, which decides. */
#include "worker/room.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "gc/decide.h"
#include "gc/nursery.h"
#include "ipc/board.h"
#include "ruby/gcstat.h"
#include "ruby/gcwatch.h"
#include "ruby/leash.h"
#include "worker/self.h"
#include "worker/token.h"

/* Less than this since the last reading is not worth asking each pool. */
#define READ_SLOTS 2000
#define READ_BYTES (256 * 1024)
/* A token was not free: a few milliseconds, and each slot its own. */
#define RETRY_MS 5
#define RETRY_SPREAD 7
/* Minor collections' part of requests' CPU time, and of idle time. */
#define NURSERY_SHARES ((struct gc_shares){ .busy = 0.027, .idle = 0.01 })
/* The same where garbage would make the heap larger than plain Ruby's. */
#define STANDING_SHARES ((struct gc_shares){ .busy = 0.22 })
/* Ruby keeps a fifth of the slots free: a quarter of those that live. */
#define STANDING 0.25
/* Old garbage, which major collections alone find: of what was old. */
#define OLD_GROWTH 0.15
/* Ruby's own limit begins at 16 MB and goes to 32. */
#define MALLOC_BUDGET (24u << 20)
/*
 * So many requests from one collection to the next are small ones, which a
 * whole sweep delays more than each would be delayed by its part of it.
 */
#define SMALL_REQUESTS 200
/* The rest is swept in a pause, or when so much of the old room is used. */
#define SWEEP_MS 2
#define SWEEP_UNTIL 0.66
/* Room that a collection finds less used than that was not its reason. */
#define WASTE_BELOW 0.5

/* One heap in a process. It lives on through forks, with its estimates. */
static struct {
	uint64_t nursery_bytes;
	struct gc_policy policy;
	struct gc_demand demand;
	struct gc_nursery nursery;
	struct rfk_board *board;
	struct rfk_row *row;
	uint32_t slot;
	bool has_base;
	struct gc_sample base;    /* right after the last collection */
	struct gc_sample seen;    /* at the last reading */
	uint64_t gc_us;           /* of the collector, in the last request */
	uint64_t majors;          /* at the last sample */
	uint64_t cpu_us, wall_us; /* of this thread, at the last reading */
	uint64_t requests;        /* since the last collection */
	struct gc_decision due;
	bool is_sweeping;     /* base is of the marking, its room of before */
	bool was_major;       /* the marking */
	uint64_t marked_ns;   /* of the collector, before the marking */
	uint64_t quiet_since; /* requests, when it was seen that nobody waits */
	bool was_refused;     /* a token */
} own;

void
room_open(const struct rfk_settings_table *s)
{
	own.nursery_bytes = (uint64_t)s->oob_gc_nursery;
	own.policy.budget = (double)s->oob_gc_budget / 100;
	own.policy.guard = (double)s->oob_gc_guard / 100;
	own.policy.malloc_bytes = MALLOC_BUDGET;
	own.policy.nursery = own.nursery_bytes;
}

/* A major one, whoever asked for it, says what is really old. */
static void
old_see(uint64_t old)
{
	uint64_t majors = gcstat_majors();

	if (majors != own.majors || own.policy.old_limit == 0)
		own.policy.old_limit =
		    (uint64_t)((1 + OLD_GROWTH) * (double)old);
	own.majors = majors;
}

/* The heap as it is now, with what is begun brought to its end. */
static void
base_take(void)
{
	gcstat_finish();
	own.has_base = gcstat_read_whole(&own.base) == 0;
	own.seen = own.base;
	own.requests = 0;
	old_see(own.base.old);
	own.cpu_us = gcwatch_cpu_ns() / 1000;
	own.wall_us = clock_us();
	own.due.reason = GC_NONE;
	own.was_refused = own.is_sweeping = false;
}

void
room_start(const struct self *self)
{
	own.board = self->board;
	own.row = self->my_row;
	own.slot = self->slot;
	own.policy.old_limit = 0;
	base_take();
}

bool
room_is_sweeping(void)
{
	return own.is_sweeping;
}

uint64_t
room_requests(void)
{
	return own.requests;
}

void
room_ended(uint64_t gc_us)
{
	own.requests++;
	own.gc_us = gc_us;
}

static void
hit_log(const struct gc_decision *why, double used, uint64_t cpu_us)
{
	char major[32];

	gcstat_major_by(major, sizeof(major));
	log_debug("oob_gc: hit worker=%u requests=%" PRIu64 " reason=%s"
		  " pool=%u used=%.0f%% allocated=%" PRIu64
		  " KB nursery=%" PRIu64 " KB kind=%s%s cpu=%" PRIu64 " us",
	    own.slot, own.requests, gc_reason_name(why->reason), why->pool,
	    100 * used, gc_bytes(&own.base, &own.seen) / 1024,
	    own.policy.nursery / 1024, major[0] != '\0' ? "major by " : "minor",
	    major, cpu_us);
}

/* cost: of the marking and all of the sweep. */
static void
nursery_size(uint64_t cost_us, bool major)
{
	gc_nursery_collected(&own.nursery, cost_us, major);
	if (own.nursery_bytes == 0) {
		own.policy.nursery =
		    gc_nursery_size(&own.nursery, NURSERY_SHARES);
		own.policy.standing_bytes =
		    gc_nursery_size(&own.nursery, STANDING_SHARES);
		own.policy.standing =
		    own.policy.standing_bytes != 0 ? STANDING : 0;
	}
	atomic_store_explicit(
	    &own.row->gc_nursery, own.policy.nursery, memory_order_relaxed);
}

static void
sweep_begin(uint64_t before_ns, bool major)
{
	struct gc_sample now;

	own.is_sweeping = own.has_base = gcstat_read(&now) == 0;
	memcpy(now.room, own.base.room, sizeof(now.room));
	now.shared = own.base.shared;
	now.live = own.base.live;
	own.base = own.seen = now;
	old_see(now.old);
	own.marked_ns = before_ns;
	own.was_major = major;
	own.quiet_since = UINT64_MAX;
	own.due.reason = GC_NONE;
	own.was_refused = false;
}

/* What is left of it; then the room is known. */
static void
sweep_end(void)
{
	struct gc_sample now;

	own.is_sweeping = false;
	gcstat_finish();
	nursery_size(
	    (gcwatch_read().cpu_ns - own.marked_ns) / 1000, own.was_major);
	own.has_base = gcstat_read_whole(&now) == 0;
	if (own.has_base)
		gc_swept(&own.base, &now);
}

static bool
collect_due(void)
{
	struct gc_decision why = own.due;
	double used = gc_used(&own.base, &own.seen);
	bool small = own.requests >= SMALL_REQUESTS;
	bool full = why.reason == GC_OLD;
	uint64_t before_ns, cpu_us, majors = gcstat_majors();

	if (!token_take(own.board, own.row, why.must)) {
		own.was_refused = true;
		return false;
	}
	before_ns = gcwatch_read().cpu_ns;
	(void)(small && !full ? gcstat_mark() : gcstat_collect(full));
	cpu_us = (gcwatch_read().cpu_ns - before_ns) / 1000;
	token_give(own.row);
	hit_log(&why, used, cpu_us);
	board_count(&own.row->gc_hits, 1);
	if (used < WASTE_BELOW)
		board_count(&own.row->gc_waste, 1);
	else
		board_count(&own.row->gc_saved_us, cpu_us);
	if (small && !full) {
		sweep_begin(before_ns, gcstat_majors() != majors);
	} else {
		nursery_size(cpu_us, gcstat_majors() != majors);
		base_take();
	}
	own.requests = 0;
	return true;
}

/* Too little since the last reading? */
static bool
is_quiet(const struct gcstat_look *look)
{
	return look->count == own.seen.count &&
	       look->allocated - own.seen.allocated < READ_SLOTS &&
	       look->malloc_bytes < own.seen.malloc_bytes + READ_BYTES;
}

/* The nursery's rate is of CPU time, which other processes do not stretch. */
static void
rate_see(const struct gc_sample *now)
{
	uint64_t cpu_us = gcwatch_cpu_ns() / 1000, wall_us = clock_us();

	if (cpu_us > own.cpu_us + own.gc_us)
		gc_nursery_worked(&own.nursery, gc_bytes(&own.seen, now),
		    cpu_us - own.cpu_us - own.gc_us, wall_us - own.wall_us);
	own.cpu_us = cpu_us;
	own.wall_us = wall_us;
}

bool
room_between(void)
{
	struct gcstat_look look;
	struct gc_sample now;

	gcstat_look(&look);
	if ((own.has_base && is_quiet(&look)) || leash_is_disabled())
		return false;
	if (gcstat_read(&now) < 0)
		return false;
	rate_see(&now);
	gc_demand_see(&own.demand, &own.seen, &now);
	if (!own.has_base || now.count != own.base.count) {
		base_take();
		return true;
	}
	own.seen = now;
	if (own.is_sweeping && gc_used(&own.base, &now) > SWEEP_UNTIL)
		sweep_end();
	own.due = gc_decide(&own.policy, &own.demand, &own.base, &now);
	return own.due.must && collect_due();
}

/* Quiet for one sleep: no request has come since it was asked before. */
static bool
sweep_waiting(void)
{
	if (own.quiet_since != own.requests) {
		own.quiet_since = own.requests;
		return false;
	}
	sweep_end();
	return true;
}

bool
room_waiting(void)
{
	if (own.is_sweeping)
		return sweep_waiting();
	if (own.due.reason == GC_NONE || leash_is_disabled())
		return false;
	return collect_due();
}

int
room_retry_ms(void)
{
	if (own.is_sweeping)
		return SWEEP_MS;
	if (own.due.reason == GC_NONE || !own.was_refused)
		return -1;
	return RETRY_MS + (int)(own.slot % RETRY_SPREAD);
}
