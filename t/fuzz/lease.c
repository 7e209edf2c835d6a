/*
 * lease.c - a datagram of a client of the lease socket, and what the master
 * asks of it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/leaseline.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
look(const struct leaseline *line, int nfds)
{
	int place[LEASELINE_FDS_MAX], i;
	struct fail why = FAIL_INIT;
	uint64_t n = 0;

	if (line->verb >= LEASELINE_VERBS)
		abort();
	if (leaseline_count(line, "id", 1000, &n) == 0 && n > 1000)
		abort();
	if (leaseline_signal(leaseline_text(line, "signal")) > 64)
		abort();
	if (leaseline_places(line, nfds, place, &why) < 0) {
		if (why.text[0] == '\0')
			abort();
		return;
	}
	for (i = 0; i < LEASELINE_FDS_MAX; i++)
		if (place[i] < -1 || place[i] >= nfds)
			abort();
}

/* The first byte says how many descriptors came with it. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fail why = FAIL_INIT;
	struct leaseline line;
	char *bytes;
	int nfds;

	if (size == 0 || size > LEASELINE_MAX + 1)
		return 0;
	nfds = data[0] % 8;
	bytes = malloc(size);
	if (bytes == NULL)
		return 0;
	memcpy(bytes, data + 1, size - 1);
	if (leaseline_parse(
		&line, bytes, size - 1, nfds, LEASELINE_CLIENT, &why) == 0)
		look(&line, nfds);
	else if (why.text[0] == '\0')
		abort();
	free(bytes);
	return 0;
}
