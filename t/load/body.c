/*
 * body.c - a body is a window of one block: making five megabytes per request
 * would measure this program and not the server. The checksum of each window
 * is computed once, when it is first asked for.
 */
#include "body.h"
#include "rng.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { STRIDE = 4099 }; /* prime, so that no two windows look alike */

struct window_crc {
	size_t len;
	uint32_t crc;
	bool known;
};

static unsigned char *block;
static uint32_t table[256];
static struct window_crc known[BODY_PLACES][2];

int
body_init(uint64_t seed)
{
	size_t len = BODY_LARGE + (size_t)BODY_PLACES * STRIDE, i;
	uint64_t state = seed, word;
	uint32_t c;
	unsigned n, k;

	for (n = 0; n < 256; n++) {
		c = n;
		for (k = 0; k < 8; k++)
			c = c & 1 ? 0xedb88320U ^ (c >> 1) : c >> 1;
		table[n] = c;
	}
	len &= ~(size_t)7;
	block = malloc(len + 8);
	if (block == NULL)
		return -ENOMEM;
	for (i = 0; i <= len; i += sizeof(word)) {
		word = rng_next(&state);
		memcpy(block + i, &word, sizeof(word));
	}
	return 0;
}

const unsigned char *
body_bytes(unsigned place)
{
	return block + (size_t)(place % BODY_PLACES) * STRIDE;
}

static uint32_t
crc_of(const unsigned char *p, size_t len)
{
	uint32_t c = 0xffffffffU;

	while (len-- > 0)
		c = table[(c ^ *p++) & 0xff] ^ (c >> 8);
	return c ^ 0xffffffffU;
}

uint32_t
body_crc(unsigned place, size_t len)
{
	struct window_crc *w;

	if (len == 0)
		return 0;
	w = &known[place % BODY_PLACES][len == BODY_LARGE];
	if (!w->known || w->len != len) {
		w->crc = crc_of(body_bytes(place), len);
		w->len = len;
		w->known = true;
	}
	return w->crc;
}
