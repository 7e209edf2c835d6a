/*
 * target.h - the four forms of a request target, and the authority in it.
 *
 * Runs in:    worker
 * Owns:       nothing; slices are borrowed from the target
 * After fork: nothing to do
 * Raises:     never
 */
#ifndef HTTP_TARGET_H
#define HTTP_TARGET_H

#include "http/head.h"

/*
 * Reads head->target, for head->method, into path, query, fragment, scheme and
 * authority. Returns 0, or 400, 414 or 501 as http_head_parse says.
 */
int http_target_parse(
    struct http_head *head, unsigned flags, const struct http_limits *limits);

/*
 * Splits head->authority into host and port. 0, or 400 when it is no
 * uri-host [":" port] of RFC 3986, or the port is above 65535; with
 * HTTP_COMPAT_UNICORN never: what cannot be read stays in the host.
 */
int http_authority_parse(struct http_head *head, unsigned flags);

#endif
