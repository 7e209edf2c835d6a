/*
 * gclog.c - the collector's own events, counted in C.
 *
 * A collection begins at GC_START and ends at GC_END_SWEEP; marking and
 * sweeping go in steps between which the application runs, each of them inside
 * GC_ENTER and GC_EXIT. Its time is the sum of its steps. A new one begins
 * inside the step that has ended the one before it, so the step is split there.
 */
#include "ruby/gclog.h"

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include <ruby/debug.h>
#include <ruby/ruby.h>

#include "ruby/try.h"

#define ROWS 1024u

#define EVENTS                                                                 \
	(RUBY_INTERNAL_EVENT_GC_START | RUBY_INTERNAL_EVENT_GC_END_MARK |      \
	    RUBY_INTERNAL_EVENT_GC_END_SWEEP | RUBY_INTERNAL_EVENT_GC_ENTER |  \
	    RUBY_INTERNAL_EVENT_GC_EXIT)

struct row {
	uint64_t n;                         /* as GC.count says */
	uint64_t wall_us;                   /* when, since 1970 */
	uint64_t start_ns, mark_ns, end_ns; /* monotonic; 0 = not reached */
	uint64_t spent_ns, unit_ns; /* in steps; of that inside a unit */
	uint64_t live_before, live_after, free_before, free_after;
	uint64_t malloc_increase;
	VALUE by, major_by; /* static symbols, or no symbol at all */
	uint32_t steps;
	bool in_unit, is_lazy;
};

struct ring {
	uint64_t written;
	uint64_t entered_ns;      /* of the step under way, 0 = none */
	uint64_t malloc_increase; /* then: GC_START comes after its reset */
	struct row row[ROWS];
};

static struct ring *ring;
static VALUE tracepoint = Qnil;
static const bool *unit;
static bool is_on;

/* Looked up once: in a hook nothing may be interned. */
static struct {
	VALUE live, free, malloc_increase, by, major_by, immediate;
} keys;

static uint64_t
now_ns(clockid_t clock)
{
	struct timespec t;

	(void)clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static struct row *
current(void)
{
	return ring->written > 0 ? &ring->row[(ring->written - 1) % ROWS]
				 : NULL;
}

static void
step_end(uint64_t now)
{
	struct row *row = current();

	if (row == NULL || ring->entered_ns == 0)
		return;
	row->spent_ns += now - ring->entered_ns;
	if (*unit)
		row->unit_ns += now - ring->entered_ns;
	row->steps++;
}

/* A collection that nobody ended (the heap grew instead) stays as it is. */
static void
collection_begin(uint64_t now)
{
	struct row *row;

	step_end(now);
	row = &ring->row[ring->written % ROWS];
	memset(row, 0, sizeof(*row));
	row->n = rb_gc_count();
	row->wall_us = now_ns(CLOCK_REALTIME) / 1000;
	row->start_ns = now;
	row->live_before = rb_gc_stat(keys.live);
	row->free_before = rb_gc_stat(keys.free);
	row->malloc_increase = ring->malloc_increase;
	row->by = rb_gc_latest_gc_info(keys.by);
	row->major_by = rb_gc_latest_gc_info(keys.major_by);
	row->is_lazy = !RTEST(rb_gc_latest_gc_info(keys.immediate));
	row->in_unit = *unit;
	ring->written++;
	if (ring->entered_ns != 0)
		ring->entered_ns = now;
}

static void
on_event(VALUE tp, void *unused)
{
	const rb_event_flag_t flag =
	    rb_tracearg_event_flag(rb_tracearg_from_tracepoint(tp));
	uint64_t now;
	struct row *row;

	(void)unused;
	if (ring == NULL)
		return;
	now = now_ns(CLOCK_MONOTONIC);
	row = current();
	if (flag == RUBY_INTERNAL_EVENT_GC_ENTER) {
		ring->entered_ns = now;
		ring->malloc_increase = rb_gc_stat(keys.malloc_increase);
	} else if (flag == RUBY_INTERNAL_EVENT_GC_EXIT) {
		step_end(now);
		ring->entered_ns = 0;
	} else if (flag == RUBY_INTERNAL_EVENT_GC_START) {
		collection_begin(now);
	} else if (flag == RUBY_INTERNAL_EVENT_GC_END_MARK && row != NULL) {
		row->mark_ns = now;
	} else if (flag == RUBY_INTERNAL_EVENT_GC_END_SWEEP && row != NULL) {
		row->end_ns = now;
		row->live_after = rb_gc_stat(keys.live);
		row->free_after = rb_gc_stat(keys.free);
	}
}

static VALUE
key_raises(const char *name)
{
	return ID2SYM(rb_intern(name));
}

/* Each is asked once, so that Ruby has made its own tables before any hook. */
static void
keys_raises(void)
{
	keys.live = key_raises("heap_live_slots");
	keys.free = key_raises("heap_free_slots");
	keys.malloc_increase = key_raises("malloc_increase_bytes");
	keys.by = key_raises("gc_by");
	keys.major_by = key_raises("major_by");
	keys.immediate = key_raises("immediate_sweep");
	(void)rb_gc_stat(keys.live);
	(void)rb_gc_stat(keys.free);
	(void)rb_gc_stat(keys.malloc_increase);
	(void)rb_gc_latest_gc_info(keys.by);
	(void)rb_gc_latest_gc_info(keys.major_by);
	(void)rb_gc_latest_gc_info(keys.immediate);
}

static VALUE
on_raises(VALUE unused)
{
	(void)unused;
	keys_raises();
	if (NIL_P(tracepoint)) {
		rb_gc_register_address(&tracepoint);
		tracepoint = rb_tracepoint_new(Qnil, EVENTS, on_event, NULL);
	}
	rb_tracepoint_enable(tracepoint);
	return Qnil;
}

static VALUE
off_raises(VALUE unused)
{
	(void)unused;
	rb_tracepoint_disable(tracepoint);
	return Qnil;
}

int
gclog_on(const bool *in_unit, struct ruby_error *why)
{
	int rc;

	if (is_on)
		return 0;
	if (ring == NULL) {
		void *memory = mmap(NULL, sizeof(*ring), PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (memory == MAP_FAILED)
			return -errno;
		ring = memory;
	}
	unit = in_unit;
	ring->written = ring->entered_ns = 0;
	rc = ruby_try(on_raises, NULL, why);
	is_on = rc == 0;
	return rc;
}

int
gclog_off(struct ruby_error *why)
{
	int rc;

	if (!is_on)
		return 0;
	rc = ruby_try(off_raises, NULL, why);
	is_on = rc < 0;
	return rc;
}

void
gclog_forget(void)
{
	struct ring *old = ring;

	(void)gclog_off(NULL);
	ring = NULL;
	unit = NULL;
	if (old != NULL)
		(void)munmap(old, sizeof(*old));
}

static const char *
name_of(VALUE symbol)
{
	return STATIC_SYM_P(symbol) ? rb_id2name(SYM2ID(symbol)) : "";
}

static uint64_t
us_between(uint64_t from_ns, uint64_t to_ns)
{
	return to_ns > from_ns ? (to_ns - from_ns) / 1000 : 0;
}

static int
row_put(struct buf *out, const struct row *row)
{
	const char *major_by = name_of(row->major_by);

	return buf_printf(out,
	    "gclog row=%" PRIu64 ",%" PRIu64 ".%06u,%s,%s,%s,%s,%s,%" PRIu64
	    ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%u,%" PRIu64 ",%" PRIu64
	    ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 "\n",
	    row->n, row->wall_us / 1000000, (unsigned)(row->wall_us % 1000000),
	    *major_by != '\0' ? "major" : "minor", name_of(row->by), major_by,
	    row->is_lazy ? "lazy" : "immediate", row->in_unit ? "in" : "out",
	    row->spent_ns / 1000, row->unit_ns / 1000,
	    us_between(row->start_ns, row->mark_ns),
	    us_between(row->start_ns, row->end_ns), row->steps,
	    row->live_before, row->live_after, row->free_before,
	    row->free_after, row->malloc_increase);
}

int
gclog_put(struct buf *out)
{
	uint64_t i;
	int rc;

	if (ring == NULL)
		return -ENOENT;
	rc = buf_puts(out,
	    "gclog_head row=count,time,kind,by,major_by,sweep,request,gc_us,"
	    "gc_in_request_us,mark_us,total_us,steps,live_before,live_after,"
	    "free_before,free_after,malloc_increase\n");
	i = ring->written > ROWS ? ring->written - ROWS : 0;
	for (; rc == 0 && i < ring->written; i++)
		rc = row_put(out, &ring->row[i % ROWS]);
	return rc;
}
