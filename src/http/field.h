/*
 * field.h - slices, header fields and the lists in their values.
 *
 * Runs in:    worker
 * Owns:       nothing: every slice is borrowed from the caller's buffer
 * After fork: nothing to do
 * Raises:     never
 */
#ifndef HTTP_FIELD_H
#define HTTP_FIELD_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of somebody else's buffer, not terminated. An absent one has len 0. */
struct http_slice {
	const char *at;
	size_t len;
};

/* One field line. The value is without the whitespace around it. */
struct http_field {
	struct http_slice name;
	struct http_slice value;
};

/* Flags of the parsers in this folder; 0 is RFC 9112 to the letter. */
enum http_flag {
	HTTP_COMPAT_UNICORN = 1 << 0 /* take what unicorn takes, see head.h */
};

/* A slice over a string literal. */
#define HTTP_SLICE(literal)                                                    \
	((struct http_slice){ (literal), sizeof(literal) - 1 })

/* True when the slice is `word` (terminated), letters of either case. */
bool http_slice_is(struct http_slice, const char *word);

/*
 * Takes the next member of a comma-separated list off *rest into *item, without
 * the whitespace around it; an empty member is a member. False at the end, and
 * at once for an empty value. Start with *rest = the field's value.
 */
bool http_list_next(struct http_slice *rest, struct http_slice *item);

/* True when one member of the list is `word`, letters of either case. */
bool http_list_has(struct http_slice list, const char *word);

/*
 * Reads one field line at *p, which ends before `end`, by RFC 9112's grammar,
 * and moves *p behind it. 0 = *out is filled, 1 = it was the empty line,
 * -EPROTO. Refused are: folding, space before the colon, any control byte in
 * the value but a tab, a line end without CR (taken with HTTP_COMPAT_UNICORN).
 */
int http_field_read(
    const char **p, const char *end, unsigned flags, struct http_field *out);

/*
 * The CGI key of a field name: "HTTP_", letters in upper case, "-" as "_".
 * Returns its length, or -ENOSPC when it does not fit into cap bytes. It is not
 * terminated. CONTENT_TYPE and CONTENT_LENGTH are the caller's exceptions.
 */
int http_cgi_name(struct http_slice name, char *out, size_t cap);

#endif
