/*
 * parser.h - the library's HTTP parser: libllhttp (with HAVE_LLHTTP), else
 * libhttp-parser. parser.c is the only file that knows which.
 *
 * Runs in:    worker
 * Owns:       nothing; a parser lives for one call
 * After fork: nothing to do
 * Raises:     never
 */
#ifndef HTTP_PARSER_H
#define HTTP_PARSER_H

#include "http/field.h"

/*
 * Feeds one request head to the library, in nparts consecutive pieces none of
 * which is empty, and collects the field lines of the last piece into fields
 * (cap of them). Values may carry trailing whitespace here, and an empty one
 * may stand anywhere.
 *
 * Returns the number of fields, -EPROTO when the library refuses the head or
 * does not find its end, -E2BIG when there are more than cap fields.
 */
int parser_fields(const struct http_slice *parts, size_t nparts, unsigned flags,
    struct http_field *fields, size_t cap);

/* "llhttp 9.2.1", "http_parser 2.9.4": for --version and the boot log. */
const char *parser_library(void);

#endif
