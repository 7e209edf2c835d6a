/*
 * leasekey.c - the key of a lease.
 */
#include "base/leasekey.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"

/* The entry "name=value" of that name, or NULL. */
static const char *
field_find(const struct buf *fields, const char *name, size_t len)
{
	const char *p = fields->data;
	const char *end = p + fields->len;

	for (; p < end; p += strlen(p) + 1)
		if (strncmp(p, name, len) == 0 && p[len] == '=')
			return p;
	return NULL;
}

int
leasekey_make(struct buf *out, const char *names, const struct buf *fields,
    struct fail *why)
{
	const char *entry;
	size_t len;
	int rc = 0;

	for (; rc == 0 && *names != '\0'; names += len + (names[len] == ',')) {
		len = strcspn(names, ",");
		entry = field_find(fields, names, len);
		if (entry == NULL)
			return fail_set(why, EPROTO,
			    "LEASE has no %.*s, which is of the pool's key",
			    (int)len, names);
		rc = buf_put(out, entry, strlen(entry) + 1);
		if (rc == 0 && out->len > LEASEKEY_MAX)
			return fail_set(why, EPROTO,
			    "the key is too long: %d bytes at most",
			    LEASEKEY_MAX);
	}
	return rc;
}

bool
leasekey_same(const struct buf *a, const struct buf *b)
{
	return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

const char *
leasekey_text(const struct buf *key, char *out, size_t cap)
{
	const char *p = key->data;
	const char *end = p + key->len;
	struct buf text = BUF_INIT;
	const char *whole;
	int rc = 0;

	for (; rc == 0 && p < end; p += strlen(p) + 1) {
		if (p != key->data)
			rc = buf_puts(&text, " ");
		if (rc == 0)
			rc = escape_put(&text, p, strlen(p));
	}
	whole = rc == 0 ? buf_cstr(&text) : NULL;
	(void)snprintf(out, cap, "%s", whole != NULL ? whole : "");
	buf_fini(&text);
	return out;
}
