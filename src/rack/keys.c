/* keys.c - frozen Strings, and the field names that were seen before. */
#include "rack/keys.h"

#include <stdint.h>
#include <string.h>

#include <ruby/encoding.h>

#include "ruby/names.h"

#define SEEN_CAP 1024 /* a power of two */
#define SEEN_MOST 512
#define SEEN_NAME 40
#define NAME_CAP 1024

struct seen {
	VALUE key; /* registered with the collector; 0 = free */
	uint8_t len;
	char name[SEEN_NAME];
};

static struct keys keys;
static struct seen seen[SEEN_CAP];
static size_t nseen;

static const char *const common[] = { "Host", "host", "User-Agent",
	"user-agent", "Accept", "accept", "Accept-Encoding", "accept-encoding",
	"Accept-Language", "accept-language", "Connection", "connection",
	"Cookie", "cookie", "Content-Type", "content-type", "Content-Length",
	"content-length", "Cache-Control", "cache-control", "Referer",
	"referer", "Origin", "origin", "Authorization", "authorization",
	"If-None-Match", "if-none-match", "If-Modified-Since",
	"if-modified-since", "X-Forwarded-For", "x-forwarded-for",
	"X-Forwarded-Proto", "x-forwarded-proto", "X-Forwarded-Host",
	"X-Forwarded-Port", "X-Real-IP", "x-real-ip", "X-Requested-With",
	"x-requested-with", "X-Request-Id", "x-request-id", "X-CSRF-Token",
	"x-csrf-token", "Upgrade-Insecure-Requests",
	"upgrade-insecure-requests", "Sec-Fetch-Dest", "sec-fetch-dest",
	"Sec-Fetch-Mode", "sec-fetch-mode", "Sec-Fetch-Site", "sec-fetch-site",
	"Sec-Fetch-User", "sec-fetch-user", "Sec-CH-UA", "sec-ch-ua", "DNT",
	"Pragma", "pragma", "Priority", "priority", "Range", "range", "TE",
	"Transfer-Encoding", "transfer-encoding", "Expect", "expect", "Via",
	"Forwarded", "Upgrade", "Sec-WebSocket-Key", "Sec-WebSocket-Version" };

const struct keys *
keys_get(void)
{
	return &keys;
}

static uint32_t
hash(const char *at, size_t len)
{
	uint32_t h = 2166136261u;
	size_t i;

	for (i = 0; i < len; i++)
		h = (h ^ (unsigned char)at[i]) * 16777619u;
	return h ^ (h >> 15);
}

static VALUE
make_raises(struct http_slice name)
{
	char text[NAME_CAP];
	int len;

	if (http_slice_is(name, "content-length"))
		return keys.content_length;
	if (http_slice_is(name, "content-type"))
		return keys.content_type;
	len = http_cgi_name(name, text, sizeof(text));
	if (len < 0)
		rb_raise(rb_eArgError, "a field name is too long");
	/* UTF-8, as Rack's own constants are: one object, compared by address.
	 */
	return rb_enc_interned_str(text, len, rb_utf8_encoding());
}

VALUE
keys_header_raises(struct http_slice name)
{
	uint32_t at = hash(name.at, name.len) & (SEEN_CAP - 1);
	VALUE key;

	if (name.len > SEEN_NAME)
		return make_raises(name);
	while (seen[at].key != 0) {
		if (seen[at].len == name.len &&
		    memcmp(seen[at].name, name.at, name.len) == 0)
			return seen[at].key;
		at = (at + 1) & (SEEN_CAP - 1);
	}
	key = make_raises(name);
	if (nseen >= SEEN_MOST)
		return key;
	rb_gc_register_mark_object(key);
	nseen++;
	seen[at].len = (uint8_t)name.len;
	memcpy(seen[at].name, name.at, name.len);
	seen[at].key = key;
	return key;
}

VALUE
keys_open_raises(VALUE unused)
{
	size_t i;

	(void)unused;
#define KEY(field, text) keys.field = names_string_raises(text);
	KEYS
#undef KEY
#define NAME(field, text) keys.id_##field = rb_intern(text);
	    NAMES
#undef NAME
	    for (i = 0; i < sizeof(common) / sizeof(common[0]); i++)(void)
		keys_header_raises(
		    (struct http_slice){ common[i], strlen(common[i]) });
	return Qnil;
}
