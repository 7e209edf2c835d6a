/*
 * keys.h - the Strings and IDs that requests are made of, made once.
 *
 * Runs in:    worker
 * Owns:       every VALUE in it, for ever
 * After fork: inherited with the heap
 * Raises:     keys_open_raises and keys_header_raises
 */
#ifndef RACK_KEYS_H
#define RACK_KEYS_H

#include <ruby/ruby.h>

#include "http/field.h"

/* KEY(field, text): frozen Strings, keys and values of env. */
#define KEYS                                                                   \
	KEY(request_method, "REQUEST_METHOD")                                  \
	KEY(request_uri, "REQUEST_URI")                                        \
	KEY(request_path, "REQUEST_PATH")                                      \
	KEY(path_info, "PATH_INFO")                                            \
	KEY(query_string, "QUERY_STRING")                                      \
	KEY(fragment, "FRAGMENT")                                              \
	KEY(script_name, "SCRIPT_NAME")                                        \
	KEY(server_name, "SERVER_NAME")                                        \
	KEY(server_port, "SERVER_PORT")                                        \
	KEY(server_protocol, "SERVER_PROTOCOL")                                \
	KEY(server_software, "SERVER_SOFTWARE")                                \
	KEY(http_version, "HTTP_VERSION")                                      \
	KEY(remote_addr, "REMOTE_ADDR")                                        \
	KEY(content_length, "CONTENT_LENGTH")                                  \
	KEY(content_type, "CONTENT_TYPE")                                      \
	KEY(http_host, "HTTP_HOST")                                            \
	KEY(http_expect, "HTTP_EXPECT")                                        \
	KEY(http_cookie, "HTTP_COOKIE")                                        \
	KEY(request_id, "HTTP_X_REQUEST_ID")                                   \
	KEY(forwarded_proto, "HTTP_X_FORWARDED_PROTO")                         \
	KEY(forwarded_ssl, "HTTP_X_FORWARDED_SSL")                             \
	KEY(rack_url_scheme, "rack.url_scheme")                                \
	KEY(rack_version, "rack.version")                                      \
	KEY(rack_input, "rack.input")                                          \
	KEY(rack_errors, "rack.errors")                                        \
	KEY(rack_logger, "rack.logger")                                        \
	KEY(rack_multithread, "rack.multithread")                              \
	KEY(rack_multiprocess, "rack.multiprocess")                            \
	KEY(rack_run_once, "rack.run_once")                                    \
	KEY(rack_is_hijack, "rack.hijack?")                                    \
	KEY(rack_hijack, "rack.hijack")                                        \
	KEY(rack_hijack_io, "rack.hijack_io")                                  \
	KEY(rack_early_hints, "rack.early_hints")                              \
	KEY(rack_after_reply, "rack.after_reply")                              \
	KEY(rack_response_finished, "rack.response_finished")                  \
	KEY(rack_protocol, "rack.protocol")                                    \
	KEY(empty, "")                                                         \
	KEY(http, "http")                                                      \
	KEY(https, "https")                                                    \
	KEY(get, "GET")                                                        \
	KEY(post, "POST")                                                      \
	KEY(http_1_1, "HTTP/1.1")                                              \
	KEY(http_1_0, "HTTP/1.0")                                              \
	KEY(localhost, "localhost")                                            \
	KEY(port_80, "80")                                                     \
	KEY(port_443, "443")

/* NAME(field, text): method names. */
#define NAMES                                                                  \
	NAME(call, "call")                                                     \
	NAME(each, "each")                                                     \
	NAME(close, "close")                                                   \
	NAME(to_path, "to_path")                                               \
	NAME(to_ary, "to_ary")                                                 \
	NAME(trailers, "trailers")                                             \
	NAME(arity, "arity")                                                   \
	NAME(read, "read")                                                     \
	NAME(for_fd, "for_fd")                                                 \
	NAME(ungetbyte, "ungetbyte")                                           \
	NAME(is_closed, "closed?")

struct keys {
#define KEY(field, text) VALUE field;
	KEYS
#undef KEY
#define NAME(field, text) ID id_##field;
	    NAMES
#undef NAME
};

VALUE keys_open_raises(VALUE unused);
const struct keys *keys_get(void);
/*
 * The frozen "HTTP_..." String of a field name (CONTENT_TYPE and
 * CONTENT_LENGTH without the prefix). Names as clients spell them are learned,
 * up to a bound that no client can move.
 */
VALUE keys_header_raises(struct http_slice name);

#endif
