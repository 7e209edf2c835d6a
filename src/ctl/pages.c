/*
 * pages.c - the pages of a pool's processes.
 */
#include "ctl/pages.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"

#define PAGE_BYTES 4096u
#define PAGE_KB (PAGE_BYTES / 1024)
/* Of a word of pagemap; Documentation/admin-guide/mm/pagemap.rst. */
#define IS_PRESENT (1ull << 63)
#define IS_EXCLUSIVE (1ull << 56)
#define NUMBER_MASK ((1ull << 55) - 1)
/* glibc's arenas, but the first, fill such a multiple: what is used of it, and
 * a rest that nobody may touch. */
#define ARENA_BYTES (64ull << 20)
/* What lies above a stack may have merged with its mapping. */
#define STACK_BYTES (8ull << 20)
#define WORDS 512

struct seen {
	uint64_t number; /* 0 = free */
	uint32_t sharers;
	uint32_t kind;
};

struct pages {
	struct seen *at;
	size_t n, room; /* room is a power of 2 */
	unsigned int processes, arenas;
	bool is_hidden; /* the kernel gives no numbers */
	uint64_t shared[PAGE_KINDS], own[PAGE_KINDS]; /* kB, for then */
};

/* One line of maps. */
struct mapping {
	uint64_t from, to;
	char access[8];
	char name[256];
};

struct pages *
pages_open(void)
{
	struct pages *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->room = 1u << 16;
	p->at = calloc(p->room, sizeof(*p->at));
	if (p->at == NULL) {
		free(p);
		return NULL;
	}
	return p;
}

void
pages_close(struct pages *p)
{
	if (p != NULL)
		free(p->at);
	free(p);
}

static struct seen *
slot_of(struct seen *at, size_t room, uint64_t number)
{
	size_t i = (size_t)(number * 0x9e3779b97f4a7c15ull >> 20) & (room - 1);

	while (at[i].number != 0 && at[i].number != number)
		i = (i + 1) & (room - 1);
	return &at[i];
}

static int
grow(struct pages *p)
{
	struct seen *at = calloc(2 * p->room, sizeof(*at));
	size_t i;

	if (at == NULL)
		return -ENOMEM;
	for (i = 0; i < p->room; i++)
		if (p->at[i].number != 0)
			*slot_of(at, 2 * p->room, p->at[i].number) = p->at[i];
	free(p->at);
	p->at = at;
	p->room *= 2;
	return 0;
}

static int
page_count(struct pages *p, uint64_t word, enum page_kind kind)
{
	const uint64_t number = word & NUMBER_MASK;
	struct seen *seen;

	if (number == 0) {
		p->is_hidden = true;
		if ((word & IS_EXCLUSIVE) != 0)
			p->own[kind] += PAGE_KB;
		else
			p->shared[kind] += PAGE_KB;
		return 0;
	}
	if (2 * p->n >= p->room && grow(p) < 0)
		return -ENOMEM;
	seen = slot_of(p->at, p->room, number);
	if (seen->number == 0) {
		seen->number = number;
		seen->kind = (uint32_t)kind;
		p->n++;
	}
	seen->sharers++;
	return 0;
}

/* Mappings */

static bool
line_read(const char *line, struct mapping *m)
{
	m->name[0] = '\0';
	return sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s %*s %*s %*s %255[^\n]",
		   &m->from, &m->to, m->access, m->name) >= 3;
}

/* A thread's stack lies right above its guard, which nobody may touch. */
static bool
is_stack(const struct mapping *m, const char *before)
{
	struct mapping guard;

	if (strncmp(m->name, "[stack", 6) == 0)
		return true;
	return m->name[0] == '\0' && before != NULL &&
	       line_read(before, &guard) && guard.to == m->from &&
	       guard.access[0] == '-' && guard.name[0] == '\0' &&
	       guard.to - guard.from <= 16 * PAGE_BYTES &&
	       m->from % ARENA_BYTES != 0;
}

enum page_kind
pages_kind(const char *line, const char *before)
{
	struct mapping m;

	if (!line_read(line, &m))
		return PAGE_OTHER;
	if (is_stack(&m, before))
		return PAGE_STACK;
	if (m.name[0] == '\0' || strcmp(m.name, "[heap]") == 0 ||
	    strncmp(m.name, "[anon:", 6) == 0)
		return m.access[2] == 'x' ? PAGE_CODE : PAGE_MALLOC;
	if (strncmp(m.name, "/memfd:", 7) == 0 ||
	    strncmp(m.name, "/dev/", 5) == 0)
		return PAGE_OTHER;
	return m.name[0] == '/' || m.access[2] == 'x' ? PAGE_CODE : PAGE_OTHER;
}

struct walk {
	struct pages *pages;
	int fd; /* pagemap */
	const struct page_range *heap;
	size_t nheap, at; /* the first range that has not been passed */
};

static bool
is_heap(struct walk *w, uint64_t address)
{
	while (w->at < w->nheap && w->heap[w->at].to <= address)
		w->at++;
	return w->at < w->nheap && w->heap[w->at].from <= address;
}

static enum page_kind
kind_at(struct walk *w, const struct mapping *m, enum page_kind kind,
    uint64_t address)
{
	if (is_heap(w, address))
		return PAGE_HEAP;
	if (kind == PAGE_STACK && m->name[0] == '\0' &&
	    address - m->from >= STACK_BYTES)
		return PAGE_MALLOC;
	return kind;
}

static int
mapping_walk(struct walk *w, const struct mapping *m, enum page_kind kind)
{
	uint64_t words[WORDS];
	uint64_t address = m->from;

	while (address < m->to) {
		size_t left = (size_t)((m->to - address) / PAGE_BYTES);
		size_t want = left < WORDS ? left : WORDS;
		ssize_t n = pread(w->fd, words, want * sizeof(*words),
		    (off_t)(address / PAGE_BYTES * sizeof(*words)));
		size_t i, got;

		if (n < (ssize_t)sizeof(*words))
			return n < 0 ? -errno : 0;
		got = (size_t)n / sizeof(*words);
		for (i = 0; i < got; i++, address += PAGE_BYTES)
			if ((words[i] & IS_PRESENT) != 0 &&
			    page_count(w->pages, words[i],
				kind_at(w, m, kind, address)) < 0)
				return -ENOMEM;
	}
	return 0;
}

/* The kernel's own mappings are nobody's memory. */
static bool
is_ours(const struct mapping *m)
{
	return m->access[0] != '-' && strncmp(m->name, "[v", 2) != 0;
}

static bool
ends_arena(const struct mapping *rest, const char *before)
{
	struct mapping used;

	return rest->access[0] == '-' && line_read(before, &used) &&
	       used.from % ARENA_BYTES == 0 && used.to == rest->from &&
	       rest->to == used.from + ARENA_BYTES && used.access[1] == 'w';
}

static int
maps_walk(struct walk *w, FILE *maps)
{
	char lines[2][512] = { "", "" };
	unsigned int which = 0, arenas = 1;
	struct mapping m;
	int rc = 0;

	while (rc == 0 &&
	       fgets(lines[which], sizeof(lines[which]), maps) != NULL) {
		const char *line = lines[which];

		which ^= 1;
		if (!line_read(line, &m))
			continue;
		arenas += ends_arena(&m, lines[which]);
		if (!is_ours(&m))
			continue;
		rc = mapping_walk(w, &m, pages_kind(line, lines[which]));
	}
	if (arenas > w->pages->arenas)
		w->pages->arenas = arenas;
	return rc;
}

int
pages_add(struct pages *p, int64_t pid, const struct page_range *heap, size_t n)
{
	struct walk w = { .pages = p, .fd = -1, .heap = heap, .nheap = n };
	char path[64];
	FILE *maps;
	int rc;

	(void)snprintf(path, sizeof(path), "/proc/%" PRId64 "/pagemap", pid);
	w.fd = open(path, O_RDONLY | O_CLOEXEC);
	if (w.fd < 0)
		return -errno;
	(void)snprintf(path, sizeof(path), "/proc/%" PRId64 "/maps", pid);
	maps = fopen(path, "re");
	rc = maps != NULL ? maps_walk(&w, maps) : -errno;
	if (maps != NULL)
		(void)fclose(maps);
	fd_close(&w.fd);
	if (rc == 0)
		p->processes++;
	return rc;
}

unsigned int
pages_arenas(const struct pages *p)
{
	return p->arenas;
}

bool
pages_sums(const struct pages *p, struct page_sums *sums)
{
	size_t i;

	memset(sums, 0, sizeof(*sums));
	for (i = 0; i < p->room; i++) {
		const struct seen *seen = &p->at[i];

		if (seen->number == 0)
			continue;
		if (seen->sharers <= 1)
			sums->own[seen->kind] += PAGE_KB;
		else if (seen->sharers < p->processes)
			sums->some[seen->kind] += PAGE_KB;
		else
			sums->all[seen->kind] += PAGE_KB;
	}
	for (i = 0; i < PAGE_KINDS && p->processes > 0; i++) {
		sums->all[i] += p->shared[i] / p->processes;
		sums->own[i] += p->own[i];
	}
	return !p->is_hidden;
}
