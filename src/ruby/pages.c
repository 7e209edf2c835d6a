/*
 * pages.c - the heap's pages, as the walk that ObjectSpace makes shows them.
 */
#include "ruby/pages.h"

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>

#include <ruby/ruby.h>

#include "ruby/try.h"

#define PAGE 4096u
/* The master passes on lines of 4 KB. */
#define LINE_RANGES 90

/* The extension objspace calls it, so libruby exports it; no header has it. */
void rb_objspace_each_objects(
    int (*)(void *start, void *end, size_t stride, void *), void *);

struct range {
	uintptr_t from, to;
};

struct walk {
	struct range *at;
	size_t n, room;
	bool full; /* no memory for more */
};

/* Called for each page of slots; nothing here may be Ruby's. */
static int
page_seen(void *start, void *end, size_t stride, void *p)
{
	struct walk *w = p;

	(void)stride;
	if (w->n == w->room) {
		size_t room = w->room != 0 ? 2 * w->room : 256;
		struct range *at = realloc(w->at, room * sizeof(*at));

		if (at == NULL) {
			w->full = true;
			return 1;
		}
		w->at = at;
		w->room = room;
	}
	w->at[w->n].from = (uintptr_t)start & ~(uintptr_t)(PAGE - 1);
	w->at[w->n].to = ((uintptr_t)end + PAGE - 1) & ~(uintptr_t)(PAGE - 1);
	w->n++;
	return 0;
}

static VALUE
walk_raises(VALUE p)
{
	rb_objspace_each_objects(page_seen, (void *)p);
	return Qnil;
}

static int
compare(const void *a, const void *b)
{
	const struct range *x = a;
	const struct range *y = b;

	return (x->from > y->from) - (x->from < y->from);
}

/* Neighbours become one. */
static size_t
merge(struct range *at, size_t n)
{
	size_t i, kept = 0;

	if (n == 0)
		return 0;
	qsort(at, n, sizeof(*at), compare);
	for (i = 1; i < n; i++) {
		if (at[i].from <= at[kept].to) {
			if (at[i].to > at[kept].to)
				at[kept].to = at[i].to;
			continue;
		}
		at[++kept] = at[i];
	}
	return kept + 1;
}

int
pages_put(struct buf *out, struct ruby_error *why)
{
	struct walk w = { 0 };
	int rc = ruby_try(walk_raises, &w, why);
	size_t i;

	if (rc == 0 && w.full)
		rc = -ENOMEM;
	if (rc == 0)
		w.n = merge(w.at, w.n);
	for (i = 0; rc == 0 && i < w.n; i++) {
		if (i % LINE_RANGES == 0)
			rc = buf_printf(out,
			    "%sheap_pages%zu at=", i > 0 ? "\n" : "",
			    i / LINE_RANGES);
		if (rc == 0)
			rc = buf_printf(out, "%s%" PRIxPTR "-%" PRIxPTR,
			    i % LINE_RANGES > 0 ? "," : "", w.at[i].from,
			    w.at[i].to);
	}
	if (rc == 0)
		rc = buf_puts(out, "\n");
	free(w.at);
	return rc;
}
