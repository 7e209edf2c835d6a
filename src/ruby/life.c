/*
 * life.c - what the heap was like at preload, and what has happened since the
 * fork.
 */
#include "ruby/life.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <ruby/ruby.h>

#include "ruby/try.h"

#define HEAPS_MAX 16
/* Every so many units malloc's growth over one of them is looked at. */
#define SAMPLE_EVERY 8
/* The first unit after which the size of the heap is remembered. */
#define MARK_FIRST 128

/* latest_gc_info's :gc_by and :major_by. What stands first is "others". */
enum cause {
	BY_OTHER,
	BY_NEWOBJ,
	BY_MALLOC,
	BY_METHOD,
	BY_CAPI,
	MAJOR_OTHER,
	MAJOR_NOFREE,
	MAJOR_OLDGEN,
	MAJOR_SHADY,
	MAJOR_FORCE,
	MAJOR_OLDMALLOC,
	CAUSES
};

static const char *const cause_names[CAUSES] = { "by_other", "by_newobj",
	"by_malloc", "by_method", "by_capi", "major_other", "major_nofree",
	"major_oldgen", "major_shady", "major_force", "major_oldmalloc" };

struct totals {
	uint64_t count, minor, major, time_ms, allocated;
};

static struct {
	struct totals born;
	uint64_t causes[CAUSES];
	uint64_t units;
	size_t seen; /* rb_gc_count at the last unit */
	size_t sample_count;
	uint64_t sample_bytes;
	uint64_t malloc_samples, malloc_sum, malloc_max;
	/* All slots after so many units: twice as many each time. */
	struct {
		uint64_t units, slots;
	} half, mark;
} life;

/* Live slots of each size pool, in Ruby 3.1 of the only one. */
static struct {
	size_t heaps;
	struct {
		uint64_t slot_size, live, slots, made;
	} heap[HEAPS_MAX];
	struct totals totals;
	uint64_t major_limit, malloc_limit;
} preload;

static uint64_t
stat_raises(const char *name)
{
	return (uint64_t)rb_gc_stat(ID2SYM(rb_intern(name)));
}

static VALUE
totals_raises(VALUE p)
{
	struct totals *t = (struct totals *)p;

	t->count = rb_gc_count();
	t->minor = stat_raises("minor_gc_count");
	t->major = stat_raises("major_gc_count");
	t->time_ms = stat_raises("time");
	t->allocated = stat_raises("total_allocated_objects");
	return Qnil;
}

/* Lines */

struct writing {
	struct buf *out;
	int rc;
};

static void
put(struct writing *w, const char *name, uint64_t value)
{
	if (w->rc == 0)
		w->rc = buf_printf(w->out, " %s=%" PRIu64, name, value);
}

static void
preload_put(struct writing *w)
{
	char name[32];
	size_t i;

	if (w->rc != 0 || preload.heaps == 0)
		return;
	w->rc = buf_puts(w->out, "preload");
	put(w, "count", preload.totals.count);
	put(w, "major_gc_count", preload.totals.major);
	put(w, "time", preload.totals.time_ms);
	for (i = 0; i < preload.heaps; i++) {
		(void)snprintf(name, sizeof(name), "slot_size%zu", i);
		put(w, name, preload.heap[i].slot_size);
		(void)snprintf(name, sizeof(name), "live%zu", i);
		put(w, name, preload.heap[i].live);
		(void)snprintf(name, sizeof(name), "slots%zu", i);
		put(w, name, preload.heap[i].slots);
		(void)snprintf(name, sizeof(name), "made%zu", i);
		put(w, name, preload.heap[i].made);
	}
	if (w->rc == 0)
		w->rc = buf_puts(w->out, "\n");
}

static void
since_put(struct writing *w, uint64_t requests)
{
	struct totals now = { 0 };
	size_t i;

	if (w->rc != 0 || ruby_try(totals_raises, &now, NULL) < 0)
		return;
	w->rc = buf_puts(w->out, "life");
	put(w, "requests", requests);
	put(w, "gc_count", now.count - life.born.count);
	put(w, "minor_gc_count", now.minor - life.born.minor);
	put(w, "major_gc_count", now.major - life.born.major);
	put(w, "time_ms", now.time_ms - life.born.time_ms);
	put(w, "allocated_objects", now.allocated - life.born.allocated);
	for (i = 0; i < CAUSES; i++)
		put(w, cause_names[i], life.causes[i]);
	put(w, "malloc_samples", life.malloc_samples);
	put(w, "malloc_sum", life.malloc_sum);
	put(w, "malloc_max", life.malloc_max);
	put(w, "half_units", life.half.units);
	put(w, "half_slots", life.half.slots);
	if (w->rc == 0)
		w->rc = buf_puts(w->out, "\n");
}

int
life_put(struct buf *out, uint64_t requests)
{
	struct writing w = { .out = out };

	preload_put(&w);
	since_put(&w, requests);
	return w.rc;
}

/* Snapshots */

static uint64_t
number_raises(VALUE hash, const char *name)
{
	VALUE value = rb_hash_aref(hash, ID2SYM(rb_intern(name)));

	return RB_INTEGER_TYPE_P(value) ? NUM2ULL(value) : 0;
}

/* 3.3 and later say for each pool how many were allocated and freed. */
static int
preload_heap_raises(VALUE index, VALUE hash, VALUE unused)
{
	size_t i = NUM2SIZET(index);

	(void)unused;
	if (i >= HEAPS_MAX)
		return ST_CONTINUE;
	preload.heap[i].slot_size = number_raises(hash, "slot_size");
	preload.heap[i].slots = number_raises(hash, "heap_eden_slots");
	preload.heap[i].made = number_raises(hash, "total_allocated_objects");
	preload.heap[i].live =
	    preload.heap[i].made - number_raises(hash, "total_freed_objects");
	if (preload.heaps <= i)
		preload.heaps = i + 1;
	return ST_CONTINUE;
}

static VALUE
heap_stats_raises(void)
{
	ID stat_heap = rb_intern("stat_heap");

	return rb_respond_to(rb_mGC, stat_heap)
		   ? rb_funcall(rb_mGC, stat_heap, 0)
		   : Qnil;
}

static VALUE
preload_raises(VALUE unused)
{
	VALUE heaps = heap_stats_raises();

	(void)unused;
	totals_raises((VALUE)&preload.totals);
	preload.heaps = 0;
	if (RB_TYPE_P(heaps, T_HASH)) {
		rb_hash_foreach(heaps, preload_heap_raises, Qnil);
		return Qnil;
	}
	preload.heap[0].slot_size = 40;
	preload.heap[0].live = stat_raises("heap_live_slots");
	preload.heap[0].slots = stat_raises("heap_available_slots");
	preload.heap[0].made = preload.totals.allocated;
	preload.heaps = 1;
	return Qnil;
}

void
life_preload(void)
{
	ruby_try(preload_raises, NULL, NULL);
}

void
life_born(void)
{
	memset(&life, 0, sizeof(life));
	ruby_try(totals_raises, &life.born, NULL);
	life.seen = rb_gc_count();
}

/* Causes */

static enum cause
cause_of_raises(const char *key, enum cause first, enum cause last)
{
	const size_t skip = first == BY_OTHER ? 3 : 6; /* "by_", "major_" */
	VALUE info = rb_gc_latest_gc_info(ID2SYM(rb_intern(key)));
	const char *name;
	enum cause cause;

	if (!SYMBOL_P(info))
		return CAUSES;
	name = rb_id2name(SYM2ID(info));
	for (cause = first + 1; cause <= last; cause++)
		if (strcmp(cause_names[cause] + skip, name) == 0)
			return cause;
	return first;
}

static VALUE
causes_raises(VALUE unused)
{
	enum cause by = cause_of_raises("gc_by", BY_OTHER, BY_CAPI);
	enum cause major =
	    cause_of_raises("major_by", MAJOR_OTHER, MAJOR_OLDMALLOC);

	(void)unused;
	if (by != CAUSES)
		life.causes[by]++;
	if (major != CAUSES)
		life.causes[major]++;
	return Qnil;
}

static VALUE
malloc_raises(VALUE p)
{
	*(uint64_t *)p = stat_raises("malloc_increase_bytes");
	return Qnil;
}

/* From one unit to the next without a collection in between. */
static void
sample_malloc(void)
{
	const bool is_begin = life.units % SAMPLE_EVERY == 0;
	uint64_t bytes = 0;

	if (ruby_try(malloc_raises, &bytes, NULL) < 0)
		return;
	if (is_begin) {
		life.sample_bytes = bytes;
		life.sample_count = life.seen;
		return;
	}
	if (life.sample_count != life.seen || bytes < life.sample_bytes)
		return;
	bytes -= life.sample_bytes;
	life.malloc_samples++;
	life.malloc_sum += bytes;
	if (bytes > life.malloc_max)
		life.malloc_max = bytes;
}

static VALUE
slots_raises(VALUE unused)
{
	(void)unused;
	life.mark.slots = stat_raises("heap_available_slots");
	return Qnil;
}

/* Between the two lies half of all units or less, and a quarter or more. */
static void
mark_set(void)
{
	life.half = life.mark;
	life.mark.units = life.units;
	ruby_try(slots_raises, NULL, NULL);
}

void
life_unit(void)
{
	const size_t count = rb_gc_count();

	if (count != life.seen) {
		life.seen = count;
		ruby_try(causes_raises, NULL, NULL);
	}
	life.units++;
	if (life.units % SAMPLE_EVERY <= 1)
		sample_malloc();
	if (life.units >= MARK_FIRST && life.units >= 2 * life.mark.units)
		mark_set();
}
