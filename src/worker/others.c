/* others.c - what is decided in gc/classic.c is done here. */
#include "worker/others.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "gc/classic.h"
#include "ipc/board.h"
#include "ruby/gcstat.h"
#include "ruby/gcwatch.h"

static struct {
	uint64_t requests;
	struct gc_discourse discourse;
	struct gc_heap began; /* the heap at the begin of a request */
} own;

void
others_start(void)
{
	memset(&own, 0, sizeof(own));
}

static uint64_t
collect(struct rfk_row *row)
{
	uint64_t before_ns = gcwatch_read().cpu_ns;

	(void)gcstat_collect(true);
	board_count(&row->gc_hits, 1);
	return (gcwatch_read().cpu_ns - before_ns) / 1000;
}

void
others_every(struct rfk_row *row, uint64_t n)
{
	if (gc_every_request(&own.requests, n))
		log_debug("oob_gc: hit every=%" PRIu64 " cpu=%" PRIu64 " us", n,
		    collect(row));
}

void
others_discourse_begin(void)
{
	gcstat_heap(&own.began);
}

void
others_discourse_between(struct rfk_row *row)
{
	struct gc_heap now;
	enum gc_discourse_says says;
	char line[256];
	uint64_t cpu_us;

	gcstat_heap(&now);
	says = gc_discourse_request(&own.discourse, &own.began, &now);
	if (says == GC_DISCOURSE_WAIT)
		return;
	if (says == GC_DISCOURSE_HIT) {
		cpu_us = collect(row);
		board_count(&row->gc_saved_us, cpu_us);
		gc_discourse_hit_line(&own.discourse, (int)getpid(),
		    cpu_us / 1000, line, sizeof(line));
	} else {
		gc_discourse_miss_line(
		    &own.discourse, (int)getpid(), line, sizeof(line));
	}
	log_debug("%s", line);
	gcstat_heap(&now);
	gc_discourse_collected(&own.discourse, &now);
}
