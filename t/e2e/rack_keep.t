#!/bin/sh
# Kept connections: pipelining, closing, slow clients, hijacking.
. "$(dirname "$0")/lib.sh"
raw() { "$ROOT/t/e2e/raw" "$@"; }
G='HTTP/1.1\r\nHost: a\r\n'
with_bundle t/gems/rack3
BIG_FILE=$DIR/big
export BIG_FILE
head -c 3000000 /dev/urandom >"$BIG_FILE"
conf <<CONF
keepalive_timeout 0.5
client_head_timeout 1
client_body_timeout 1
client_write_timeout 2
rack "$ROOT/t/apps/rack.ru"
CONF
start "$CONF"

out=$(raw "GET / $G\r\n" '?hello' "GET /status $G\r\n" '?teapot' "GET / ${G}Connection: close\r\n\r\n")
is 'three requests on one connection' "$(printf '%s' "$out" | grep -ac ^HTTP)" 3
is 'close is said once, at the end' "$(printf '%s' "$out" | grep -ac '^Connection: close')" 1
out=$(raw "GET / $G\r\nHEAD / $G\r\nPOST /digest ${G}Content-Length: 3\r\n\r\nabcGET /status $G\r\nGET / ${G}Connection: close\r\n\r\n")
is 'five requests in one piece, in order' "$(printf '%s' "$out" | grep -a ^HTTP | cut -d' ' -f2 | tr '\n' ' ')" \
	'200 200 200 418 200 '
out=$(raw "POST /digest ${G}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nGET / ${G}Connection: close\r\n\r\n")
is 'what is behind a chunked body is the next request' "$(printf '%s' "$out" | grep -ac ^HTTP)" 2
is 'HTTP/1.0 is closed' "$(raw 'GET / HTTP/1.0\r\n\r\n' | grep -ac ^HTTP)" 1
like 'unless it asks to be kept' \
	"$(raw 'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n' '?hello' 'GET / HTTP/1.0\r\n\r\n' | grep -ac ^HTTP)" 2
ok 'a silent one is closed after keepalive_timeout' raw "GET / $G\r\n" '?hello'
like 'a head that never ends is 408' "$(raw "GET / $G")" '^HTTP/1.1 408'
like 'so is a body' "$(raw "POST / ${G}Content-Length: 9\r\n\r\nabc")" '^HTTP/1.1 408'
like 'a client that has said all is answered' "$(raw -h "GET / $G\r\n")" hello

# Clients that ask for 3 MB and do not read, while the one worker answers others.
mkfifo "$DIR/hold"
exec 9<>"$DIR/hold"
holders=
for i in 1 2 3; do
	perl -MIO::Socket::UNIX -e '$s = IO::Socket::UNIX->new(Peer => $ENV{SOCK}) or die;
		syswrite $s, "GET /path HTTP/1.1\r\nHost: a\r\n\r\n"; syswrite STDOUT, "asked\n";
		sysread STDIN, $_, 1' <"$DIR/hold" >>"$DIR/asked" &
	holders="$holders $!"
done
asked() { [ "$(wc -l <"$DIR/asked")" -eq 3 ]; }
await 'three clients ask and do not read' asked
is 'they do not hold the worker' "$(get /)" hello
kill $holders
exec 9>&-

# Their end is the connection's, whoever has a copy of it.
for version in 'HTTP/1.0\r\n' "${G}Connection: close\r\n"; do
	said=$DIR/child
	ok "a child of the application's does not hold the client (${version%%\\*})" \
		eval "raw 'GET /child $version\r\n' >'$said'"
	child=$(sed -n 's/^child //p' "$said")
	ok 'which it outlives' alive "${child:-none}"
	kill -9 "$child"
done

out=$(raw "GET /hijack ${G}\r\nearly line\n")
like 'a hijacked socket gives back what was read too early' "$out" 'mine: early line'
like 'and what comes later' "$(raw "GET /hijack ${G}\r\n" 'late line\n')" 'mine: late line'
like 'the worker goes on' "$(get /)" hello
like 'partial hijack writes after the head' "$(raw "GET /partial ${G}\r\n")" 'partly mine'
before=$(workers)
ok 'exit in the application ends the connection' raw "GET /exit ${G}\r\n"
changed() { [ "$(get /)" = hello ] && [ "$(workers)" != "$before" ]; }
await 'and the worker, which is replaced' changed
finish
