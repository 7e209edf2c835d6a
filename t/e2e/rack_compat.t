#!/bin/sh
# http_compat :unicorn: what unicorn accepts and RFC 9112 forbids. Without it
# the same is refused; what frames a body is refused with it, too.
. "$(dirname "$0")/lib.sh"
raw() { "$ROOT/t/e2e/raw" "$@"; }
status() { raw "$@" | head -n 1 | cut -d' ' -f2; }
G='GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n' P='POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n'
write() { # COMPAT PERSONALITY
	conf <<CONF
personality :$2
http_compat :$1
listen ENV["SOCK"]
default_middleware false
rack { |env| [200, { "content-type" => "text/plain" }, ["#{env["SERVER_PROTOCOL"]} #{env["PATH_INFO"]} #{env["HTTP_EXPECT"]}\n"]] }
CONF
}
each_is() { # STATUS: of what unicorn lets pass
	is 'lines that end in LF' "$(status 'GET / HTTP/1.1\nHost: a\nConnection: close\n\n')" "$1"
	is 'no Host' "$(status 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n')" "$1"
	is 'two Hosts' "$(status "${G}Host: b\r\n\r\n")" "$1"
	is 'a fragment' "$(status 'GET /a#b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')" "$1"
	is 'bytes above 127' "$(status 'GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')" "$1"
}
both() { # refused in either way
	is 'two lengths' "$(status "${P}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab")" 400
	is 'a length and chunks' "$(status "${P}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")" 400
	is 'a space before the colon' "$(status "${G}X : 1\r\n\r\n")" 400
}

write strict native
start "$CONF"
each_is 400
both
is 'Expect: what nobody knows' "$(status "${G}Expect: wonders\r\n\r\n")" 417
is 'beside what is known' "$(status "${P}Content-Length: 1\r\nExpect: 100-continue, wonders\r\n\r\na")" 417
is 'HTTP/1.0 has none' "$(status 'GET / HTTP/1.0\r\nExpect: wonders\r\n\r\n')" 200
is 'HTTP/0.9' "$(status 'GET /\r\n')" ''
ok 'stops' stop
: >"$LOG"

write unicorn native
start "$CONF"
each_is 200
both
like 'Expect is for the application' "$(raw "${G}Expect: wonders\r\n\r\n")" '^HTTP/1.1 / wonders'
is 'HTTP/0.9' "$(raw -h 'GET /\r\n')" ''
ok 'stops' stop
: >"$LOG"

write unicorn unicorn
start "$CONF"
each_is 200
is 'HTTP/0.9 gets a body and nothing else' "$(raw 'GET /old\r\n')" 'HTTP/0.9 /old '
ok '-t says it' sh -c "'$REFORKD' -t -c '$CONF' | grep -q '^http_compat :unicorn'"
finish
