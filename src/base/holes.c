/*
 * holes.c - glibc takes the best fit first: larger pieces are held aside
 * while sizes go down step by step, until what it gives comes from the top of
 * the heap, where no hole is.
 */
#include "base/holes.h"

#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

/* From here on a child has pages of its own in a piece. */
#define LARGE 4096u
/* Far below what malloc would map by itself. */
#define LARGEST 65536u
/* A chunk is a multiple of 16, of which 8 bytes are malloc's. */
#define STEP 16u
#define OVERHEAD 8u
#define SMALLEST 24u
#define STACK_BYTES 65536u

struct piece {
	struct piece *next;
};

static struct piece *taken;

/* Where the part of the heap begins that was never given out. */
static uintptr_t
top_of_heap(void)
{
	return (uintptr_t)sbrk(0) - mallinfo2().keepcost;
}

static void
put(struct piece **list, struct piece *p)
{
	p->next = *list;
	*list = p;
}

/* All pieces that hold so many bytes: how many. The last is from the top. */
static size_t
take(struct piece **list, struct piece **above, size_t size, uintptr_t top)
{
	struct piece *p;
	size_t n = 0;

	while ((p = malloc(size)) != NULL && (uintptr_t)p < top) {
		put(list, p);
		n++;
	}
	if (p != NULL)
		put(above, p);
	return n;
}

static void *
give_all(void *list)
{
	struct piece *p = list, *next;

	for (; p != NULL; p = next) {
		next = p->next;
		free(p);
	}
	return NULL;
}

/*
 * malloc keeps some freed pieces of each size by for the thread that frees,
 * and does not join them with their neighbours before that thread ends: the
 * mold's own would have each generation begin further up.
 */
static void
give(struct piece **list)
{
	pthread_attr_t small;
	pthread_t thread;
	int rc = pthread_attr_init(&small);

	if (rc == 0) {
		(void)pthread_attr_setstacksize(&small, STACK_BYTES);
		rc = pthread_create(&thread, &small, give_all, *list);
		(void)pthread_attr_destroy(&small);
	}
	if (rc == 0)
		(void)pthread_join(thread, NULL);
	else
		(void)give_all(*list);
	*list = NULL;
}

struct holes
holes_fill(void)
{
	struct holes filled = { 0 };
	struct piece *aside = NULL;
	uintptr_t top = top_of_heap();
	size_t size, n;

	for (size = LARGEST; size >= LARGE; size /= 2)
		(void)take(&aside, &aside, size - OVERHEAD, top);
	for (size = LARGE - OVERHEAD; size >= SMALLEST; size -= STEP) {
		n = take(&taken, &aside, size, top);
		filled.count += n;
		filled.bytes += n * (size + OVERHEAD);
	}
	give(&aside);
	/* The pieces aside were written to. */
	(void)malloc_trim(0);
	return filled;
}

void
holes_free(void)
{
	give(&taken);
}
