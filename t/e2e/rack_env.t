#!/bin/sh
# The environment, request bodies of each size and coding, and rack.input, under
# Rack::Lint with Rack 2.2 and 3.
. "$(dirname "$0")/lib.sh"
raw() { "$ROOT/t/e2e/raw" "$@"; }
get_close() { raw "GET $1 HTTP/1.1\r\nHost: a.example:81\r\nConnection: close\r\n$2\r\n"; }
digest() { md5sum "$1" | cut -d' ' -f1; }

RACK=${RACK:-rack3}
with_bundle t/gems/$RACK
BIG_FILE=$DIR/big
export BIG_FILE
head -c 100000 /dev/urandom >"$DIR/100k"
head -c 5000000 /dev/urandom >"$DIR/5m"
cp "$DIR/5m" "$BIG_FILE"
: >"$DIR/0"
conf <<CONF
rack "$ROOT/t/apps/rack.ru"
CONF
start "$CONF"

env=$(get_close '/env?a=%20b' 'Cookie: a=1\r\nX-Two: 1\r\nCookie: b=2\r\nX-Two: 2\r\nVersion: 9\r\nX_Under: evil\r\nX-Under: good\r\n')
like 'the query is apart' "$env" '"PATH_INFO":"/env","QUERY_STRING":"a=%20b"'
like 'name and port come from Host' "$env" '"SERVER_NAME":"a.example","SERVER_PORT":"81"'
like 'fields that come twice are joined' "$env" '"HTTP_X_TWO":"1, 2"'
like 'cookies by a semicolon' "$env" '"HTTP_COOKIE":"a=1; b=2"'
like 'a field named Version is not the version' "$env" '"HTTP_VERSION":"HTTP/1.1"'
like 'the field with a dash wins' "$env" '"HTTP_X_UNDER":"good"'
like 'a UNIX peer is 127.0.0.1' "$env" '"REMOTE_ADDR":"127.0.0.1"'
like 'X-Forwarded-Proto decides the scheme' "$(get_close /env 'X-Forwarded-Proto: https\r\n')" '"scheme":"https"'
like 'an absolute target decides host and scheme' \
	"$(get_close 'http://b.example/env' '')" '"SERVER_NAME":"b.example"'
like 'HTTP/1.0 is said so' "$(raw 'GET /env HTTP/1.0\r\n\r\n')" '"SERVER_PROTOCOL":"HTTP/1.0"'

for size in 0 100k 5m; do
	want="$(wc -c <"$DIR/$size") $(digest "$DIR/$size") true"
	like "a body of $size with its length" "$(curl -sS --max-time 15 --unix-socket "$SOCK" \
		--data-binary @"$DIR/$size" http://localhost/digest)" "^$want"
	like "a body of $size in chunks" "$(curl -sS --max-time 15 --unix-socket "$SOCK" -H 'Expect:' \
		-H 'Transfer-Encoding: chunked' --data-binary @"$DIR/$size" http://localhost/digest)" "^$want"
done
chunked='POST /digest HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n'
like 'trailers reach the environment' \
	"$(raw "$chunked" '3\r\nabc\r\n0\r\nX-Trailer: late\r\n\r\n')" '^3 .* late'
like 'a body in many pieces' "$(raw "$chunked" '1;ext=1\r\n' a '\r' '\n' '2\r\nbc' '\r\n' '0' '\r\n\r\n')" \
	"^3 $(printf abc | md5sum | cut -d' ' -f1) true"
expect='POST /digest HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n'
out=$(raw "$expect" '?100 Continue\r\n\r\n' abc)
like 'Expect: 100-continue is answered first' "$out" '^HTTP/1.1 100 Continue'
like 'and then the request' "$out" '^3 '
unlike 'not when the body came along' "$(raw "${expect}abc")" '100 Continue'
finish
