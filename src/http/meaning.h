/*
 * meaning.h - what a request's fields say about its body and its connection.
 *
 * Runs in:    worker
 * Owns:       nothing; slices are borrowed from the fields
 * After fork: nothing to do
 * Raises:     never
 */
#ifndef HTTP_MEANING_H
#define HTTP_MEANING_H

#include "http/head.h"

/*
 * Reads head->fields, whose grammar was checked, into content_length, chunked,
 * keep_alive, connection_close, upgrade, expect_continue, authority, host and
 * port. Returns 0, or 400 or 501 as http_head_parse says.
 */
int http_head_mean(struct http_head *head, unsigned flags);

#endif
