/*
 * control.c - bytes of a client of the control socket: requests, and, as they
 * are read by the same code base, the records of an answer.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <reforkd/proto.h>

#include "base/record.h"
#include "master/line.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
request(char *text)
{
	struct fail why = FAIL_INIT;
	struct line line;

	if (line_parse(&line, text, &why) < 0) {
		if (why.text[0] == '\0')
			abort();
		return;
	}
	if (line.verb >= LINE_VERBS || line.scale_to > RFK_SLOTS_MAX ||
	    (line.slot != UINT32_MAX && line.slot >= RFK_SLOTS_MAX) ||
	    line.scale_by < -1 || line.scale_by > 1)
		abort();
}

static void
answer(char *text)
{
	struct record record;

	if (record_parse(&record, text) == 0 &&
	    (record.kind == NULL || record.n > RECORD_FIELDS_MAX))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *bytes = malloc(size + 1), *copy = NULL;
	int len = line_length((const char *)data, size);

	if (bytes == NULL || len <= 0) {
		free(bytes);
		return 0;
	}
	memcpy(bytes, data, size);
	line_close(bytes, (size_t)len);
	copy = strdup(bytes);
	if (copy != NULL)
		answer(copy);
	request(bytes);
	free(copy);
	free(bytes);
	return 0;
}
