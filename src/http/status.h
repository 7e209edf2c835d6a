/*
 * status.h - status codes, their reasons, and their ready-made lines.
 *
 * Runs in:    worker
 * Owns:       nothing; what it returns is constant
 * After fork: nothing to do
 * Raises:     never
 */
#ifndef HTTP_STATUS_H
#define HTTP_STATUS_H

#include "http/field.h"

/* The registered reason, or NULL for a code that is not registered. */
const char *http_status_reason(int code);

/* "HTTP/1.1 200 OK\r\n" of a registered code; else a slice of len 0. */
struct http_slice http_status_line(int code);

/* False for 1xx, 204 and 304, whose responses end with their head. */
bool http_status_has_body(int code);

#endif
