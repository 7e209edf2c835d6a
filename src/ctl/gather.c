/*
 * gather.c - sums over the workers; of what has no sum, the largest.
 */
#include "ctl/gather.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

uint64_t
gather_number(json_t *process, const char *section, const char *key)
{
	return (uint64_t)json_integer_value(
	    json_object_get(json_object_get(process, section), key));
}

bool
gather_is_worker(json_t *process)
{
	const char *role = json_string_value(json_object_get(process, "role"));

	return role != NULL && strcmp(role, "worker") == 0;
}

static void
heaps_take(struct advise *a, json_t *process)
{
	size_t i;

	for (i = 0; i < ADVISE_HEAPS; i++) {
		char heap[16], key[32];
		uint64_t slots, live, made;

		(void)snprintf(heap, sizeof(heap), "heap%zu", i);
		(void)snprintf(key, sizeof(key), "slot_size%zu", i);
		if (gather_number(process, "preload", key) == 0)
			break;
		a->heap[i].slot_size = gather_number(process, "preload", key);
		(void)snprintf(key, sizeof(key), "live%zu", i);
		a->heap[i].preload_live =
		    gather_number(process, "preload", key);
		if (json_object_get(process, heap) != NULL) {
			slots = gather_number(process, heap, "heap_eden_slots");
			made = gather_number(
			    process, heap, "total_allocated_objects");
			live = made - gather_number(
					  process, heap, "total_freed_objects");
		} else {
			slots = gather_number(
			    process, "gc", "heap_available_slots");
			made = gather_number(
			    process, "gc", "total_allocated_objects");
			live = gather_number(process, "gc", "heap_live_slots");
		}
		(void)snprintf(key, sizeof(key), "made%zu", i);
		if (slots > a->heap[i].slots) {
			a->heap[i].slots = slots;
			a->heap[i].live = live;
			a->heap[i].made =
			    made - gather_number(process, "preload", key);
		}
		a->heaps = i + 1;
	}
}

static void
life_take(struct advise *a, json_t *process, uint64_t *most_requests)
{
	uint64_t requests = gather_number(process, "life", "requests");
	uint64_t peak = gather_number(process, "memory", "rss_peak_kb");
	uint64_t most = gather_number(process, "life", "malloc_max");
	uint64_t threads = gather_number(process, "ruby", "threads");

	a->workers++;
	if (peak > a->rss_peak_kb)
		a->rss_peak_kb = peak;
	if (requests >= *most_requests) {
		*most_requests = requests;
		a->half_requests = gather_number(process, "life", "half_units");
		a->half_slots = gather_number(process, "life", "half_slots");
		a->all_slots =
		    gather_number(process, "gc", "heap_available_slots");
	}
	a->requests += requests;
	a->gc_count += gather_number(process, "life", "gc_count");
	a->major_count += gather_number(process, "life", "major_gc_count");
	a->gc_ms += gather_number(process, "life", "time_ms");
	a->allocated += gather_number(process, "life", "allocated_objects");
	a->by_newobj += gather_number(process, "life", "by_newobj");
	a->by_malloc += gather_number(process, "life", "by_malloc");
	a->major_oldgen += gather_number(process, "life", "major_oldgen");
	a->major_shady += gather_number(process, "life", "major_shady");
	a->major_oldmalloc += gather_number(process, "life", "major_oldmalloc");
	a->malloc_samples += gather_number(process, "life", "malloc_samples");
	a->malloc_sum += gather_number(process, "life", "malloc_sum");
	if (most > a->malloc_max)
		a->malloc_max = most;
	if (threads > a->threads)
		a->threads = threads;
	a->malloc_limit =
	    gather_number(process, "gc", "malloc_increase_bytes_limit");
	a->oldmalloc_limit =
	    gather_number(process, "gc", "oldmalloc_increase_bytes_limit");
}

/* Numbers and texts alike: dump.c has made integers of some. */
static void
settings_take(struct advise *a, json_t *process, json_t *texts)
{
	const char *name;
	json_t *value, *text;

	json_object_foreach(json_object_get(process, "settings"), name, value)
	{
		char digits[32];

		if (a->settings == ADVISE_SETTINGS)
			break;
		(void)snprintf(digits, sizeof(digits), "%lld",
		    (long long)json_integer_value(value));
		text = json_string(
		    json_is_integer(value) ? digits : json_string_value(value));
		(void)json_array_append_new(texts, text);
		a->setting[a->settings].name = name;
		a->setting[a->settings++].value = json_string_value(text);
	}
}

/* The mold's holes are those that each worker begins with. */
static void
mold_take(struct advise *a, json_t *process)
{
	a->mold_slots = gather_number(process, "gc", "heap_available_slots");
	a->mold_live = gather_number(process, "gc", "heap_live_slots");
	a->mold_compactions = gather_number(process, "gc", "compact_count");
}

static uint64_t
count(json_t *slot, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(slot, key));
}

static void
pool_take(struct advise *a, json_t *pool)
{
	const char *kind = json_string_value(json_object_get(pool, "kind"));
	json_t *slot;
	size_t i;

	a->is_batch = kind != NULL && strcmp(kind, "run") == 0;
	json_array_foreach(json_object_get(pool, "slots"), i, slot)
	{
		a->hits += count(slot, "gc_hits");
		a->misses += count(slot, "gc_misses");
		a->gc_in_us += count(slot, "gc_inside_us");
		a->gc_out_us += count(slot, "gc_outside_us");
	}
}

void
gather(struct gather *g, json_t *dump, json_t *status, const char *pool)
{
	struct advise *a = &g->numbers;
	uint64_t most_requests = 0;
	json_t *process, *at;
	size_t i;

	memset(g, 0, sizeof(*g));
	g->texts = json_array();
	json_array_foreach(dump, i, process)
	{
		if (!gather_is_worker(process)) {
			mold_take(a, process);
			continue;
		}
		g->version = json_string_value(json_object_get(
		    json_object_get(process, "ruby"), "version"));
		a->preload_count = gather_number(process, "preload", "count");
		a->preload_ms = gather_number(process, "preload", "time");
		heaps_take(a, process);
		if (a->settings == 0)
			settings_take(a, process, g->texts);
		life_take(a, process, &most_requests);
	}
	json_array_foreach(json_object_get(status, "pools"), i, at)
	{
		const char *name =
		    json_string_value(json_object_get(at, "name"));

		if (name != NULL && strcmp(name, pool) == 0)
			pool_take(a, at);
	}
	if (g->version != NULL)
		(void)sscanf(g->version, "%d.%d", &a->major, &a->minor);
}

void
gather_fini(struct gather *g)
{
	json_decref(g->texts);
	g->texts = NULL;
}
