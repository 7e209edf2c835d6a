/*
 * gcstat.c - symbols are made once: a fresh one costs more than its counter.
 *
 * Keys differ between Rubies; those that this one has not read as 0.
 */
#include "ruby/gcstat.h"

#include <stdio.h>
#include <string.h>

#include <ruby/ruby.h>
#include <ruby/version.h>

#include "ruby/try.h"

#define RUBY_AT_LEAST(major, minor)                                            \
	(RUBY_API_VERSION_MAJOR > (major) ||                                   \
	    (RUBY_API_VERSION_MAJOR == (major) &&                              \
		RUBY_API_VERSION_MINOR >= (minor)))

/* Pools that can be asked one by one: total_allocated_objects is of 3.3. */
#define HAS_POOLS RUBY_AT_LEAST(3, 3)
/* A page's bytes and, where there is but one pool, its slots. */
#define PAGE_BYTES 65536
#define PAGE_SLOTS_OLD 408
/* Of an empty page that any pool may take: between the smallest and biggest. */
#define PAGE_SLOTS_SHARED 400
/* Below so many slots a pool of 3.4 grows without a collection. */
#define INIT_SLOTS 10000

/* GC.stat's keys, then GC.stat_heap's. */
enum key {
	KEY_COUNT,
	KEY_MAJORS,
	KEY_ALLOCATED,
	KEY_LIVE,
	KEY_FREE,
	KEY_OLD,
	KEY_MALLOC,
	KEY_MALLOC_LIMIT,
	KEY_PAGES_TO_COME,
	KEY_SLOTS_TO_COME,
	KEY_EMPTY_PAGES,
	KEYS_STAT,
	KEY_POOL_SLOT = KEYS_STAT,
	KEY_POOL_MADE,
	KEY_POOL_FREED,
	KEY_POOL_SLOTS,
	KEY_POOL_PAGES_TO_COME,
	KEYS
};

static const char *const key_names[KEYS] = {
	[KEY_COUNT] = "count",
	[KEY_MAJORS] = "major_gc_count",
	[KEY_ALLOCATED] = "total_allocated_objects",
	[KEY_LIVE] = "heap_live_slots",
	[KEY_FREE] = "heap_free_slots",
	[KEY_OLD] = "old_objects",
	[KEY_MALLOC] = "malloc_increase_bytes",
	[KEY_MALLOC_LIMIT] = "malloc_increase_bytes_limit",
	[KEY_PAGES_TO_COME] = "heap_allocatable_pages",
	[KEY_SLOTS_TO_COME] = "heap_allocatable_slots",
	[KEY_EMPTY_PAGES] = "heap_empty_pages",
	[KEY_POOL_SLOT] = "slot_size",
	[KEY_POOL_MADE] = "total_allocated_objects",
	[KEY_POOL_FREED] = "total_freed_objects",
	[KEY_POOL_SLOTS] = "heap_eden_slots",
	[KEY_POOL_PAGES_TO_COME] = "heap_allocatable_pages",
};

static struct {
	bool is_open;
	bool has[KEYS];
	VALUE key[KEYS];   /* Symbols: static ones are not collected */
	VALUE minor, mark; /* GC.start's keywords, registered */
	VALUE gc_by, major_by, method;
	ID start, stat_heap, latest;
	uint32_t pools;
	uint32_t slot[GC_POOLS];
} own;

static uint64_t
stat_of(enum key key)
{
	return own.has[key] ? (uint64_t)rb_gc_stat(own.key[key]) : 0;
}

static uint64_t
pool_raises(uint32_t pool, enum key key)
{
	if (!own.has[key])
		return 0;
	return NUM2ULL(
	    rb_funcall(rb_mGC, own.stat_heap, 2, UINT2NUM(pool), own.key[key]));
}

static VALUE
open_raises(VALUE unused)
{
	int i;

	(void)unused;
	for (i = 0; i < KEYS; i++)
		own.key[i] = ID2SYM(rb_intern(key_names[i]));
	own.start = rb_intern("start");
	own.stat_heap = rb_intern("stat_heap");
	own.latest = rb_intern("latest_gc_info");
	own.gc_by = ID2SYM(rb_intern("gc_by"));
	own.major_by = ID2SYM(rb_intern("major_by"));
	own.method = ID2SYM(rb_intern("method"));
	own.minor = rb_hash_new();
	rb_gc_register_mark_object(own.minor);
	rb_hash_aset(own.minor, ID2SYM(rb_intern("full_mark")), Qfalse);
	own.mark = rb_hash_dup(own.minor);
	rb_gc_register_mark_object(own.mark);
	rb_hash_aset(own.minor, ID2SYM(rb_intern("immediate_sweep")), Qtrue);
	rb_hash_aset(own.mark, ID2SYM(rb_intern("immediate_sweep")), Qfalse);
	return Qnil;
}

/* GC.stat says all that it has; asking for what it has not would raise. */
static VALUE
keys_raises(VALUE unused)
{
	VALUE stat = rb_hash_new();
	VALUE pool = rb_hash_new();
	int i;

	(void)unused;
	rb_gc_stat(stat);
	if (HAS_POOLS)
		pool = rb_funcall(rb_mGC, own.stat_heap, 1, INT2FIX(0));
	for (i = 0; i < KEYS; i++)
		own.has[i] = RTEST(rb_funcall(i < KEYS_STAT ? stat : pool,
		    rb_intern("key?"), 1, own.key[i]));
	return Qnil;
}

static VALUE
pools_raises(VALUE unused)
{
	(void)unused;
	for (own.pools = 0; own.pools < GC_POOLS; own.pools++)
		own.slot[own.pools] =
		    (uint32_t)pool_raises(own.pools, KEY_POOL_SLOT);
	return Qnil;
}

int
gcstat_open(struct ruby_error *why)
{
	int rc;

	if (own.is_open)
		return 0;
	rc = ruby_try(open_raises, NULL, why);
	if (rc == 0)
		rc = ruby_try(keys_raises, NULL, why);
	if (rc < 0)
		return rc;
	if (own.has[KEY_POOL_SLOT] && own.has[KEY_POOL_MADE])
		(void)ruby_try(pools_raises, NULL, NULL);
	if (own.pools == 0) {
		own.has[KEY_POOL_MADE] = false;
		own.pools = 1;
		own.slot[0] = 40;
	}
	own.is_open = true;
	return 0;
}

void
gcstat_look(struct gcstat_look *look)
{
	look->count = (uint64_t)rb_gc_count();
	look->allocated = stat_of(KEY_ALLOCATED);
	look->malloc_bytes = stat_of(KEY_MALLOC);
}

static VALUE
read_raises(VALUE p)
{
	struct gc_sample *s = (struct gc_sample *)p;
	uint32_t i;

	memset(s, 0, sizeof(*s));
	s->count = (uint64_t)rb_gc_count();
	s->allocated = stat_of(KEY_ALLOCATED);
	s->live = stat_of(KEY_LIVE);
	s->old = stat_of(KEY_OLD);
	s->malloc_bytes = stat_of(KEY_MALLOC);
	s->malloc_limit = stat_of(KEY_MALLOC_LIMIT);
	s->pools = own.pools;
	for (i = 0; i < own.pools; i++) {
		s->slot[i] = own.slot[i];
		s->made[i] = own.has[KEY_POOL_MADE]
				 ? pool_raises(i, KEY_POOL_MADE)
				 : s->allocated;
	}
	return Qnil;
}

int
gcstat_read(struct gc_sample *s)
{
	return ruby_try(read_raises, s, NULL);
}

static uint64_t
room_raises(const struct gc_sample *s, uint32_t i)
{
	uint64_t slots = pool_raises(i, KEY_POOL_SLOTS);
	uint64_t taken = s->made[i] - pool_raises(i, KEY_POOL_FREED);
	uint64_t room = slots > taken ? slots - taken : 0;

	room += pool_raises(i, KEY_POOL_PAGES_TO_COME) *
		(PAGE_BYTES / (s->slot[i] != 0 ? s->slot[i] : 1));
	if (own.has[KEY_SLOTS_TO_COME] && slots < INIT_SLOTS)
		room += INIT_SLOTS - slots;
	return room;
}

static VALUE
read_whole_raises(VALUE p)
{
	struct gc_sample *s = (struct gc_sample *)p;
	uint32_t i;

	read_raises(p);
	s->free = stat_of(KEY_FREE);
	if (!own.has[KEY_POOL_MADE]) {
		s->room[0] =
		    s->free + stat_of(KEY_PAGES_TO_COME) * PAGE_SLOTS_OLD;
		return Qnil;
	}
	for (i = 0; i < s->pools; i++)
		s->room[i] = room_raises(s, i);
	s->shared = stat_of(KEY_SLOTS_TO_COME) +
		    stat_of(KEY_EMPTY_PAGES) * PAGE_SLOTS_SHARED;
	return Qnil;
}

int
gcstat_read_whole(struct gc_sample *s)
{
	return ruby_try(read_whole_raises, s, NULL);
}

void
gcstat_heap(struct gc_heap *heap)
{
	heap->count = (uint64_t)rb_gc_count();
	heap->live = stat_of(KEY_LIVE);
	heap->free = stat_of(KEY_FREE);
}

uint64_t
gcstat_majors(void)
{
	return stat_of(KEY_MAJORS);
}

static VALUE
asked_for_raises(VALUE p)
{
	*(bool *)p = rb_funcall(rb_mGC, own.latest, 1, own.gc_by) == own.method;
	return Qnil;
}

bool
gcstat_was_asked_for(void)
{
	bool is = false;

	return ruby_try(asked_for_raises, &is, NULL) == 0 && is;
}

struct naming {
	VALUE key;
	char *out;
	size_t size;
};

static VALUE
naming_raises(VALUE p)
{
	const struct naming *n = (const struct naming *)p;
	VALUE by = rb_funcall(rb_mGC, own.latest, 1, n->key);

	if (SYMBOL_P(by))
		snprintf(n->out, n->size, "%s", rb_id2name(SYM2ID(by)));
	return Qnil;
}

static void
latest_name(VALUE key, char *out, size_t size)
{
	struct naming n = { key, out, size };

	out[0] = '\0';
	(void)ruby_try(naming_raises, &n, NULL);
}

void
gcstat_major_by(char *out, size_t size)
{
	latest_name(own.major_by, out, size);
}

void
gcstat_by(char *out, size_t size)
{
	latest_name(own.gc_by, out, size);
}

static VALUE
collect_raises(VALUE p)
{
	if (*(const bool *)p)
		return rb_gc_start();
	return rb_funcallv_kw(
	    rb_mGC, own.start, 1, &own.minor, RB_PASS_KEYWORDS);
}

int
gcstat_collect(bool full)
{
	return ruby_try(collect_raises, &full, NULL);
}

static VALUE
mark_raises(VALUE unused)
{
	(void)unused;
	return rb_funcallv_kw(
	    rb_mGC, own.start, 1, &own.mark, RB_PASS_KEYWORDS);
}

int
gcstat_mark(void)
{
	return ruby_try(mark_raises, NULL, NULL);
}

/* rb_gc_disable ends it; where nothing is begun it costs nothing. */
void
gcstat_finish(void)
{
	if (rb_gc_disable() == Qfalse)
		rb_gc_enable();
}
