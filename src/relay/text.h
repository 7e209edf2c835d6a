/*
 * text.h - a document as bytes of UTF-8, and places in it as editors count
 * them: lines, and units of an encoding within the line.
 *
 * Runs in:    reforkctl
 * Owns:       nothing
 * After fork: does not fork
 * Raises:     never
 */
#ifndef RELAY_TEXT_H
#define RELAY_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

enum text_encoding { TEXT_UTF16, TEXT_UTF8, TEXT_UTF32 };

struct text_place {
	size_t line; /* from 0; \n, \r\n and \r end one */
	size_t unit; /* bytes, 16-bit units or characters of that line */
};

/*
 * The byte at which the place is. Behind the end of a line: its end. In the
 * middle of a character: its beginning. false: there is no such line, and
 * *offset is the end of the text.
 */
bool text_find(
    const struct buf *, struct text_place, enum text_encoding, size_t *offset);
/* The bytes from..to become others: 0, -ENOMEM. from <= to <= len. */
int text_replace(
    struct buf *, size_t from, size_t to, const char *bytes, size_t len);

#endif
