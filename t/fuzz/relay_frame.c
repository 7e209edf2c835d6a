/*
 * relay_frame.c - bytes of an editor or a language server, in two pieces: what
 * is read must not depend on where they are cut.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "relay/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* How many messages and bytes; an error counts a million. */
static size_t
drain(struct frame *frame)
{
	struct fail why = FAIL_INIT;
	const char *body;
	size_t len, n = 0;
	int rc;

	while ((rc = frame_next(frame, &body, &len, &why)) > 0)
		n += 1 + len;
	if (rc < 0 && why.text[0] == '\0')
		abort();
	return rc < 0 ? n + 1000000 : n;
}

static size_t
read_cut(const uint8_t *data, size_t size, size_t cut)
{
	struct frame frame = { 0 };
	size_t n = 0;

	if (frame_put(&frame, data, cut) == 0)
		n = drain(&frame);
	if (n < 1000000 && frame_put(&frame, data + cut, size - cut) == 0)
		n += drain(&frame);
	frame_fini(&frame);
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t whole = read_cut(data, size, 0);

	if (size > 0 && size < 100000 &&
	    (whole < 1000000) != (read_cut(data, size, size / 2) < 1000000))
		abort();
	return 0;
}
