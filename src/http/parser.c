/* parser.c - the one file that knows which parser library this is. */
#include "http/parser.h"

#include <errno.h>

#ifdef HAVE_LLHTTP
#include <llhttp.h>
#define LIBRARY llhttp_t
#define LIBRARY_SETTINGS llhttp_settings_t
#else
#include <http_parser.h>
#define LIBRARY struct http_parser
#define LIBRARY_SETTINGS struct http_parser_settings
#endif

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)

struct harvest {
	struct http_field *fields; /* borrowed from the caller */
	size_t n;
	size_t cap;
	bool full;
	bool complete;
};

static int
on_name(LIBRARY *parser, const char *at, size_t len)
{
	struct harvest *h = (struct harvest *)parser->data;

	if (h->n == h->cap) {
		h->full = true;
		return -1;
	}
	h->fields[h->n].name = (struct http_slice){ at, len };
	h->fields[h->n].value = (struct http_slice){ at + len, 0 };
	h->n++;
	return 0;
}

/* A folded value comes in pieces; the last one wins and never passes for whole.
 */
static int
on_value(LIBRARY *parser, const char *at, size_t len)
{
	struct harvest *h = (struct harvest *)parser->data;

	if (h->n == 0)
		return -1;
	h->fields[h->n - 1].value = (struct http_slice){ at, len };
	return 0;
}

/*
 * The error stops the library here, before it makes up its mind about the body:
 * the two libraries differ in that, and head.c decides it by RFC 9112.
 */
static int
on_end(LIBRARY *parser)
{
	struct harvest *h = (struct harvest *)parser->data;

	h->complete = true;
	return -1;
}

/* Both libraries only read it, though llhttp takes it without const. */
static LIBRARY_SETTINGS settings = {
	.on_header_field = on_name,
	.on_header_value = on_value,
	.on_headers_complete = on_end,
};

#ifdef HAVE_LLHTTP

static void
library_init(LIBRARY *parser, unsigned flags)
{
	llhttp_init(parser, HTTP_REQUEST, &settings);
	if (flags & HTTP_COMPAT_UNICORN)
		llhttp_set_lenient_optional_cr_before_lf(parser, 1);
}

static bool
library_feed(LIBRARY *parser, struct http_slice part)
{
	return llhttp_execute(parser, part.at, part.len) == HPE_OK;
}

const char *
parser_library(void)
{
	return "llhttp " TEXT(LLHTTP_VERSION_MAJOR) "." TEXT(
	    LLHTTP_VERSION_MINOR) "." TEXT(LLHTTP_VERSION_PATCH);
}

#else

static void
library_init(LIBRARY *parser, unsigned flags)
{
	(void)flags; /* it takes a bare LF anyway; field.c refuses it */
	/* A process-wide number; 80 KiB unless told, head.h's limit is wider.
	 */
	http_parser_set_max_header_size(0x7fffffff);
	http_parser_init(parser, HTTP_REQUEST);
}

static bool
library_feed(LIBRARY *parser, struct http_slice part)
{
	size_t n = http_parser_execute(parser, &settings, part.at, part.len);

	return n == part.len && HTTP_PARSER_ERRNO(parser) == HPE_OK;
}

const char *
parser_library(void)
{
	return "http_parser " TEXT(HTTP_PARSER_VERSION_MAJOR) "." TEXT(
	    HTTP_PARSER_VERSION_MINOR) "." TEXT(HTTP_PARSER_VERSION_PATCH);
}

#endif

int
parser_fields(const struct http_slice *parts, size_t nparts, unsigned flags,
    struct http_field *fields, size_t cap)
{
	struct harvest h = { .fields = fields, .cap = cap };
	LIBRARY parser;

	library_init(&parser, flags);
	parser.data = &h;
	for (size_t i = 0; i < nparts; i++)
		if (!library_feed(&parser, parts[i]))
			break;
	if (h.full)
		return -E2BIG;
	return h.complete ? (int)h.n : -EPROTO;
}
