/* status.c - status.def, read twice. */
#include "http/status.h"

const char *
http_status_reason(int code)
{
	switch (code) {
#define HTTP_STATUS(code, reason)                                              \
	case code:                                                             \
		return reason;
#include "http/status.def"
#undef HTTP_STATUS
	default:
		return NULL;
	}
}

struct http_slice
http_status_line(int code)
{
	switch (code) {
#define HTTP_STATUS(code, reason)                                              \
	case code:                                                             \
		return HTTP_SLICE("HTTP/1.1 " #code " " reason "\r\n");
#include "http/status.def"
#undef HTTP_STATUS
	default:
		return (struct http_slice){ "", 0 };
	}
}

bool
http_status_has_body(int code)
{
	return code >= 200 && code != 204 && code != 304;
}
