/*
 * pages.h - what a pool's memory is made of: every page of its processes,
 * counted once, by what lies in it and how many of them have it.
 *
 * /proc/PID/maps says what a mapping is, /proc/PID/pagemap which page is there,
 * and the worker where in it Ruby's heap lies. The kernel names pages to root
 * alone; for others a page is its process's own or is shared, no more.
 *
 * Runs in:    reforkctl
 * Owns:       a table of the pages seen
 * After fork: does not fork
 * Raises:     never
 */
#ifndef CTL_PAGES_H
#define CTL_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum page_kind {
	PAGE_HEAP,   /* Ruby's slots */
	PAGE_MALLOC, /* anonymous, and neither heap nor stack */
	PAGE_STACK,
	PAGE_CODE, /* programs, libraries and other files; compiled code */
	PAGE_OTHER,
	PAGE_KINDS
};

struct page_range {
	uint64_t from, to;
};

struct page_sums {
	/* kB, each page once; some: by more than one process, not by all. */
	uint64_t all[PAGE_KINDS], some[PAGE_KINDS], own[PAGE_KINDS];
};

struct pages; /* opaque */

struct pages *pages_open(void);
void pages_close(struct pages *);
/* ranges: of the heap, in order. 0, -errno (of /proc: the process stays out).
 */
int pages_add(struct pages *, int64_t pid, const struct page_range *, size_t n);
unsigned int pages_arenas(const struct pages *); /* glibc's, most of one */
/*
 * Of all processes that were added. False: the kernel hides which page is
 * which; `all` is then every shared page, counted as if all had it.
 */
bool pages_sums(const struct pages *, struct page_sums *);

/* Pure: the kind of a line of maps outside the heap, given the line before it.
 */
enum page_kind pages_kind(const char *line, const char *before);

#endif
