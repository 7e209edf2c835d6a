#!/bin/sh
# rewindable_input false: the application reads a body as it arrives. And what
# an answer may say behind its body: trailers.
. "$(dirname "$0")/lib.sh"
raw() { "$ROOT/t/e2e/raw" "$@"; }
head -c 5000000 /dev/urandom >"$DIR/5m"
conf <<'CONF'
rewindable_input false
client_body_timeout 1
client_max_body_size 10_000_000
rack do
  require "digest"
  trailing = Struct.new(:lines) do
    def each = yield "body\n"
    def trailers = lines
  end
  lambda do |env|
    input = env["rack.input"]
    plain = { "content-type" => "text/plain" }
    answer = ->(text) { [200, plain, ["#{text}\n"]] }
    case env["PATH_INFO"]
    when "/echo" # both ways at once
      [200, plain, ->(stream) { while (part = input.read(3)) do stream.write(part.upcase) end; stream.close }]
    when "/md5"
      digest, size, buffer = Digest::MD5.new, 0, String.new
      while input.read(10_000, buffer)
        digest << buffer
        size += buffer.bytesize
      end
      answer.("#{size} #{digest} #{input.read(1).inspect} #{input.read.inspect}")
    when "/lines" then answer.([input.gets, input.each.class, *input.enum_for(:each).to_a].inspect)
    when "/each"
      lines = []
      input.each { |line| lines << line }
      answer.(lines.inspect)
    when "/all" then answer.("#{input.read.inspect} #{env["HTTP_X_LATE"].inspect} #{input.respond_to?(:rewind)}")
    when "/rescue"
      begin
        input.read
      rescue IOError => error
        answer.("#{error.class}")
      end
    when "/hijack" # a part by rack.input, the rest from the socket
      part = input.read(4)
      io = env["rack.hijack"].call
      rest = begin
        input.read
      rescue IOError
        "gone"
      end
      io.write("mine|")
      io.write("#{part}|#{rest}|#{io.read(8)}")
      io.close
    when "/trailers"
      [200, plain.merge("trailer" => "x-sum, content-length"), trailing.new({ "x-sum" => "42", "content-length" => "1", "x-two" => %w[a b], "x bad" => "1" })]
    when "/unannounced" then [200, plain, trailing.new({ "x-sum" => "42" })]
    else answer.("#{input.class}")
    end
  end
end
CONF
start "$CONF"
P() { printf 'POST %s HTTP/1.1\\r\\nHost: a\\r\\n%s' "$1" "$2"; }
CHUNKED='Transfer-Encoding: chunked\r\n'

out=$(raw "$(P /echo "$CHUNKED")\r\n" '3\r\nabc\r\n' '?ABC' '2\r\nde\r\n' '4\r\nfghi\r\n' '?FGHI|DEF' '0\r\n\r\n')
is 'what has come is read before the rest comes' "$?" 0
like 'and that connection is not kept' "$out" 'Connection: close'
out=$(raw "$(P /md5 'Content-Length: 3\r\nExpect: 100-continue\r\nConnection: close\r\n')\r\n" '?100 Continue\r\n\r\n' abc)
like '100 Continue is sent when it begins to read' "$out" "^3 $(printf abc | md5sum | cut -d' ' -f1) nil \"\""
unlike 'and not when it does not' "$(raw "$(P / 'Content-Length: 3\r\nExpect: 100-continue\r\n')\r\n")" '100 Continue'
want="5000000 $(md5sum "$DIR/5m" | cut -d' ' -f1) nil \"\""
for coding in 'Expect:' 'Transfer-Encoding: chunked'; do
	is "5 MB, $coding" "$(curl -sS --max-time 15 --unix-socket "$SOCK" -H 'Expect:' -H "$coding" \
		--data-binary @"$DIR/5m" http://localhost/md5)" "$want"
done
C='Connection: close\r\n'
like 'lines in pieces' "$(raw "$(P /each "${C}$CHUNKED")\r\n" '4\r\none\n\r\n' '2\r\ntw\r\n' '7\r\no\nthree\r\n' '0\r\n\r\n')" \
	'^\["one\\n", "two\\n", "three"\]$'
# Held back until it is asked for, so that it cannot come along with the head.
HELD="${C}${CHUNKED}Expect: 100-continue\r\n"
like 'trailers are there when all was read' "$(raw "$(P /all "$HELD")\r\n" '?100 Continue\r\n\r\n' '3\r\nabc\r\n' '0\r\nX-Late: 7\r\n\r\n')" '^"abc" "7" false$'
like 'a body that came along is a StringIO' "$(raw "$(P / "${C}Content-Length: 3\r\n")\r\nabc")" '^StringIO$'

# Kept connections
out=$(raw "$(P /all 'Content-Length: 3\r\n')\r\n" abc '?"abc"' "GET /all HTTP/1.1\r\nHost: a\r\n${C}\r\n")
is 'a kept connection after a body that was read' "$(echo "$out" | grep -ac '^HTTP/1.1 200')" 2
out=$(raw "$(P /all "$CHUNKED")\r\n" '1\r\n' "a\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n${C}\r\n")
is 'with the next request right behind it' "$(echo "$out" | grep -ac '^HTTP/1.1 200')" 2
out=$(raw "$(P / 'Content-Length: 100000\r\n')\r\n" "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n" x:50000:a)
is 'an unread body is answered and ends the connection' "$? $(echo "$out" | grep -ac '^HTTP/1.1 200')" '0 1'
unlike 'without a reset' "$out" reset

# Hijacked in the middle of it: nothing is lost, and nothing comes twice
L='Content-Length: 12\r\n'
like 'what was not read comes from the socket' "$(raw "$(P /hijack "$L")\r\n" abcdef '?mine' ghijkl)" '^mine\|abcd\|gone\|efghijkl$'
like 'what came with the head, too' "$(raw "$(P /hijack "$L")\r\nabcdef" '?mine' ghijkl)" '^mine\|abcd\|gone\|efghijkl$'
like 'and what was chunked' "$(raw "$(P /hijack "$CHUNKED")\r\n" '6\r\nabcdef\r\n' '?mine' ghijkl)" '^mine\|abcd\|gone\|efghijkl$'
like 'what has come to its end stays in rack.input' "$(raw "$(P /hijack "${L}Expect: 100-continue\r\n")\r\n" '?100 Continue\r\n\r\n' abcdefghijkl12345678)" '^mine\|abcd\|efghijkl\|12345678$'

# Bad bodies
status() { head -n 1 | cut -d' ' -f2; }
is 'a broken chunk is 400' "$(raw "$(P /all "$CHUNKED")\r\n" '3\r\nabc\r\n' 'xyz\r\n' | status)" 400
is 'too long is 413' "$(raw "$(P /md5 "$CHUNKED")\r\n" '989681\r\n' x:10000001:a | status)" 413
is 'a silent client is 408' "$(raw "$(P /all 'Content-Length: 10\r\n')\r\n" abc | status)" 408
is 'one that goes is not answered' "$(raw -h "$(P /all 'Content-Length: 10\r\n')\r\n" abc)" ''
like 'the application may rescue' "$(raw "$(P /rescue "$HELD")\r\n" '?100 Continue\r\n\r\n' '3\r\nabc\r\n' 'xyz\r\n')" '^Reforkd::BadBody$'
nok 'none of this is an error of the application' logged 'app error'
ok 'the worker is still the same' count 1 workers

# Behind an answer
out=$(raw "GET /trailers HTTP/1.1\r\nHost: a\r\n${C}\r\n")
like 'a trailer that the head announced' "$(printf '%s' "$out" | tr '\r\n' '$|')" '5\$\|body\|\$\|0\$\|x-sum: 42\$\|x-two: a\$\|x-two: b\$\|\$?\|?$'
unlike 'no field that belongs into a head' "$out" 'content-length: 1'
unlike 'not to HTTP/1.0' "$(raw 'GET /trailers HTTP/1.0\r\n\r\n')" 'x-sum: 42'
unlike 'none that was not announced' "$(raw "GET /unannounced HTTP/1.1\r\nHost: a\r\n${C}\r\n")" 'x-sum: 42'
finish
