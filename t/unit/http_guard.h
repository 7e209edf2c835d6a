/*
 * http_guard.h - input that ends where memory ends.
 *
 * Runs in:    unit tests
 * Owns:       its pages, until the test's process ends
 * After fork: a copy each
 * Raises:     never
 */
#ifndef HTTP_GUARD_H
#define HTTP_GUARD_H

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define GUARD_ROOM (64 * 4096)

/*
 * A copy of len bytes whose last one stands before a page that nobody may read.
 * The next call overwrites it.
 */
static inline char *
guarded(const char *bytes, size_t len)
{
	static char *room;
	char *at;

	if (!room) {
		room = mmap(NULL, GUARD_ROOM + 4096, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (room == MAP_FAILED ||
		    mprotect(room + GUARD_ROOM, 4096, PROT_NONE) < 0)
			abort();
	}
	if (len > GUARD_ROOM)
		abort();
	at = room + GUARD_ROOM - len;
	if (len > 0)
		memcpy(at, bytes, len);
	return at;
}

#endif
