/*
 * escape.h - text as one word of a line: "%20" for what would end it.
 *
 * A word holds printable ASCII without space and '%'; every other byte is %XX.
 * The control socket's records and requests are made of such words.
 *
 * Runs in:    master, reforkctl
 * Owns:       nothing
 * After fork: unchanged
 * Raises:     never
 */
#ifndef BASE_ESCAPE_H
#define BASE_ESCAPE_H

#include <stddef.h>

#include "base/buf.h"

int escape_put(struct buf *, const char *text, size_t len); /* 0, -ENOMEM */
/*
 * In place: the new length, or -EINVAL for what escape_put never makes: a '%'
 * without two hex digits, or %00, which no C string can hold.
 */
int escape_undo(char *text);

#endif
