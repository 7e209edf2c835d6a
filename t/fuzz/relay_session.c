/*
 * relay_session.c - a session of hostile sides, a line a message: "e" and what
 * the editor says, "w" and what the worker says, "l" = the worker is lost and
 * another one comes, "s" = it has settled, "g" = nobody comes any more.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "relay/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
ignore(const char *text)
{
	if (text[0] == '\0')
		abort();
}

static int
step(struct session *s, char what, const char *body, size_t len)
{
	struct fail why = FAIL_INIT;
	int rc;

	switch (what) {
	case 'e':
		return session_hear_editor(s, body, len);
	case 'w':
		rc = session_hear_worker(s, body, len, &why);
		if (rc == -EPROTO && why.text[0] == '\0')
			abort();
		return rc == -EPROTO ? 0 : rc;
	case 'l':
		rc = session_lose_worker(s);
		return rc < 0 ? rc : session_take_worker(s);
	case 's':
		return s->settling ? session_settle(s) : 0;
	case 'g':
		return session_give_up(s, "the end");
	default:
		return 0;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *at = (const char *)data, *end = at + size;
	struct session session;
	int rc = session_init(&session, ignore);

	while (rc == 0 && at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));

		if (stop == NULL)
			stop = end;
		if (stop > at)
			rc = step(
			    &session, *at, at + 1, (size_t)(stop - at - 1));
		at = stop + 1;
	}
	if (rc < 0) /* nothing that is said is too much to be told */
		abort();
	session_fini(&session);
	return 0;
}
