#!/bin/sh
# Answers of each kind: what is framed how, what is refused, what is logged.
. "$(dirname "$0")/lib.sh"
raw() { "$ROOT/t/e2e/raw" "$@"; }
ask() { raw "${3:-GET} $1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${2:-}\r\n"; }
statuses() { grep -ac '^HTTP/1'; }

with_bundle t/gems/"${RACK:-rack3}"
BIG_FILE=$DIR/big
export BIG_FILE
head -c 3000000 /dev/urandom >"$BIG_FILE"
conf <<CONF
early_hints true
rack "$ROOT/t/apps/rack.ru"
CONF
start "$CONF"

out=$(ask /string-status)
like 'an Array has its length' "$out" '^Content-Length: 5'
like 'and a date' "$out" '^Date: ...,'
out=$(ask / '' HEAD)
like 'HEAD has a head' "$out" '^HTTP/1.1 200 OK'
unlike 'and no body' "$out" hello
like 'each without a length is chunked' "$(ask /each)" '^Transfer-Encoding: chunked'
unlike 'but not for HTTP/1.0' "$(raw 'GET /each HTTP/1.0\r\n\r\n')" 'chunked|^4'
unlike 'nor with a length' "$(ask /each-length)" 'chunked'
get /path >"$DIR/got"
ok 'a file goes by its path' cmp "$BIG_FILE" "$DIR/got"
is 'a large Array arrives' "$(get /large | wc -c)" 2097152
is 'large pieces arrive' "$(get /large-each | md5sum)" \
	"$(perl -e 'print "0123456789abcdef" x 131072' | md5sum)"
unlike '204 has neither body nor length' "$(ask /head-body)" 'body|ength'
like 'a header with two values is two lines' "$(ask /twice | grep -aic '^x-two')" '^2$'
like 'so are the lines of one value' "$(ask /lines | grep -ac '^x-l')" '^2$'
unlike 'no header is injected' "$(ask /inject)" '^x-evil'
like 'the others stay' "$(ask /inject)" '^x-b: fine'
like 'an unknown status is sent as it is' "$(ask /string-status)" '^HTTP/1.1 666 BEAST'
unlike 'no more than the length is sent' "$(ask /too-long)" 'tool'
is 'early hints come first' "$(ask /hints | grep -a '^HTTP' | tr -d '\r' | tr '\n' ,)" \
	'HTTP/1.1 103 Early Hints,HTTP/1.1 200 OK,'
[ "${RACK:-rack3}" = rack2 ] ||
	like 'a streaming body is written' "$(ask /call | tr -d '\r\n')" 'streamed6twice0$'

is 'an exception is a 500' "$(code /raise)" 500
ok 'logged with its message' logged 'app error: "a broken\\napplication" \(ArgumentError\)'
ok 'and its backtrace' logged 'rack.ru:[0-9]+:in'
out=$(ask /raise-each)
is 'never two status lines' "$(printf '%s\n' "$out" | statuses)" 1
unlike 'what is cut does not look whole' "$out" '^0'
is 'an exception before the first byte is a 500' "$(code /raise-first)" 500
is 'nil is a 500' "$(code /nil)" 500
is 'bodies are closed once each' "$(get /closed)" 'each=3 large=1 path=1 raise=2'

like 'the client does not wait for callbacks' "$(ask /after)" later
ask /after-raise >"$DIR/out"
if [ "${RACK:-rack3}" = rack3 ]; then
	is 'callbacks run in reverse, with what was answered' "$(get /finished)" \
		'finished 200 nil, after, finished nil RuntimeError'
fi
finish
