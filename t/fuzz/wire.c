/*
 * wire.c - bytes from a peer. The first says who sends, the second how many
 * descriptors came along; the rest is the message.
 */
#include "ipc/wire.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static unsigned char again[WIRE_MAX];
	struct rfk_msg msg;
	int len;

	if (size < 2)
		return 0;
	if (wire_decode(
		data + 2, size - 2, data[1], (enum rfk_role)data[0], &msg) < 0)
		return 0;
	/* What was accepted is encoded to the very same bytes. */
	len = wire_encode(&msg, again, sizeof(again));
	if (len < 0 || (size_t)len != size - 2 ||
	    memcmp(again, data + 2, size - 2) != 0)
		abort();
	return 0;
}
