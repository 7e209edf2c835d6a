#!/bin/sh
# Bad input gets the right 4xx and a closed connection; what two readers may
# read as two requests is refused.
. "$(dirname "$0")/lib.sh"
raw() { "$ROOT/t/e2e/raw" "$@"; }
refused() { # NAME STATUS PIECE...
	refused_name=$1 refused_status=$2
	shift 2
	out=$(raw "$@")
	is "$refused_name" "$? $(printf '%s' "$out" | head -n 1 | cut -d' ' -f2)" "0 $refused_status"
}
conf <<CONF
client_max_body_size 1000
rack { |env| [200, {}, [env["rack.input"].read.to_s.size.to_s]] }
CONF
start "$CONF"
G='GET / HTTP/1.1\r\nHost: a\r\n' P='POST / HTTP/1.1\r\nHost: a\r\n'

refused 'no request at all' 400 'nonsense\r\n\r\n'
refused 'a line ends in LF alone' 400 'GET / HTTP/1.1\nHost: a\n\n'
refused 'no Host' 400 'GET / HTTP/1.1\r\n\r\n'
refused 'two Hosts' 400 "${G}Host: b\r\n\r\n"
refused 'a space before the colon' 400 "${G}X : 1\r\n\r\n"
refused 'folding' 400 "${G}X: 1\r\n 2\r\n\r\n"
refused 'a NUL in a value' 400 "${G}X: \0\r\n\r\n"
refused 'version 2' 505 'GET / HTTP/2.0\r\nHost: a\r\n\r\n'
refused 'two lengths' 400 "${P}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"
refused 'a length and chunks' 400 "${P}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
refused 'a negative length' 400 "${P}Content-Length: -1\r\n\r\n"
refused 'another coding' 501 "${P}Transfer-Encoding: gzip\r\n\r\n"
refused 'chunked is not the last' 400 "${P}Transfer-Encoding: chunked, gzip\r\n\r\n"
refused 'a chunk without a size' 400 "${P}Transfer-Encoding: chunked\r\n\r\nxyz\r\n"
refused 'a chunk longer than its size' 400 "${P}Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n"
refused 'a long target' 414 'GET /' x:20000:a ' HTTP/1.1\r\nHost: a\r\n\r\n'
refused 'a long head' 413 "$G" x:3000:'Xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa: bbbbbbbbbbbbbbbbbbbb
'
refused 'too many fields' 431 "$G" 'A: 1\r\nB: 1\r\nC: 1\r\nD: 1\r\nE: 1\r\nF: 1\r\nG: 1\r\nH: 1\r\n' \
	"$(perl -e 'print "X$_: 1\\r\\n" for 1 .. 300')" '\r\n'
refused 'a body above the limit, by its length' 413 "${P}Content-Length: 1001\r\n\r\n" x:1001:a
refused 'a body above the limit, in chunks' 413 "${P}Transfer-Encoding: chunked\r\n\r\n" \
	'3e9\r\n' x:1001:a '\r\n0\r\n\r\n'
is 'a refused request ends the connection: nothing behind it is read' \
	"$(raw "${G}X : 1\r\n\r\n${G}\r\n" | grep -ac ^HTTP)" 1
is 'and none reached the application' "$(get /)" 0
out=$(raw -h "${P}Content-Length: 100\r\n\r\nabc")
is 'a body that ends early is not answered' "$out" ''
ok 'the worker is still the same' count 1 workers
nok 'nobody logged an error' logged ' ERROR '
finish
