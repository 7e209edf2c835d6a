#!/bin/sh
# A23. rack env of 4.2 byte-identical (keys, types, encodings) incl. UNIX
# REMOTE_ADDR, scheme rules, OPTIONS *, absolute URI.
# A24. Limits/statuses table 4.1 exact, error bytes exact, 0.9 reply headerless.
# A25. Bodies. A26. Response rules. A27. Hijack, 100, 103. A29. Exceptions.
# The real unicorn beside ours, with the same application and the same bytes.
. "$(dirname "$0")/lib.sh"
need_peer unicorn
with_bundle t/gems/unicorn
cat >"$DIR/config.ru" <<'END'
# What differs by intent is not shown: the server's name, objects of its own.
def show(env)
  env.reject { |k, _| k =~ /\A(?:SERVER_SOFTWARE|unicorn\.|rack\.(?:input|errors|logger|hijack|after_reply|response_finished|tempfiles|early_hints|protocol))/ }
    .sort.map { |k, v| "#{k}=#{v.inspect} #{v.class}#{" #{v.encoding}" if v.is_a?(String)}\n" }.join
end
run(lambda do |env|
  case env["PATH_INFO"]
  when "/body"
    input = env["rack.input"]
    first = input.read(3)
    input.rewind
    all = input.read
    input.rewind
    line = input.gets
    input.rewind
    text = [first, all.bytesize, all[0, 40], line, input.size, all.encoding, input.read(0), (input.read; input.read(1)), input.read, env["HTTP_TRAILER_ONE"]].map(&:inspect).join("\n")
    [200, { "content-type" => "text/plain" }, [text]]
  when "/keys" then [200, {}, [env.keys.sort.reject { |k| k =~ /\Aunicorn\.|rack\.(?:tempfiles|response_finished|protocol)/ }.join("\n")]]
  when "/types" then [200, {}, [%w[rack.hijack? rack.multiprocess rack.multithread rack.run_once rack.version SCRIPT_NAME].map { |k| env[k].inspect }.join(",")]]
  when "/raise" then raise "not today"
  when "/nil" then nil
  when "/unknown" then ["666 BEAST", {}, ["x"]]
  when "/204" then [204, {}, ["body"]]
  when "/304" then [304, {}, ["body"]]
  when "/nilvalue" then [200, { "x-nil" => nil, "x" => "a\nb\n\nc", "Status" => "7", "date" => "then", "connection" => "keep" }, ["x"]]
  when "/hijack"
    io = env["rack.hijack"].call
    io.write("HTTP/1.1 200 OK\r\n\r\nmine")
    io.close
    [500, {}, []]
  when "/partial" then [200, { "rack.hijack" => ->(io) { io.write("partly"); io.close } }, ["never"]]
  when "/100"
    next [100, {}, []] if env["HTTP_EXPECT"]
    [200, {}, [env["rack.input"].read]]
  when "/late"
    body = Object.new
    def body.each = yield("before ")
    def body.close = @closed = true
    [200, {}, body]
  else [200, { "content-type" => "text/plain" }, [show(env)]]
  end
end)
END
cat >"$DIR/u.rb" <<'END'
worker_processes 1
preload_app true
END
as unicorn "$DIR/u.rb" -E none
ok 'theirs' peer unicorn "$DIR/u.rb" -E none
H='Host: example.com:81\r\n'
G="GET / HTTP/1.1\r\n$H"

both 'a plain request' "GET /a/b?c=d&e HTTP/1.1\r\n${H}X-One: 1\r\nX-One: 2\r\nCookie: a=b\r\nAccept: */*\r\n\r\n"
both 'the keys' "GET /keys HTTP/1.0\r\n${H}\r\n"
both 'their values' "GET /types HTTP/1.0\r\n${H}\r\n"
both 'HTTP/1.0' "GET / HTTP/1.0\r\n\r\n"
both 'lower case method' "get / HTTP/1.1\r\n$H\r\n"
both 'an unknown method' "FROB / HTTP/1.1\r\n$H\r\n"
both 'escapes are not decoded' "GET /%41%2fb?%41 HTTP/1.1\r\n$H\r\n"
both 'a fragment' "GET /x?y#frag HTTP/1.1\r\n$H\r\n"
both 'OPTIONS *' "OPTIONS * HTTP/1.1\r\n$H\r\n"
both 'an absolute URI' "GET http://u:p@other.example:99/p?q HTTP/1.1\r\n$H\r\n"
both 'an absolute https URI' "GET https://other.example/p HTTP/1.1\r\n$H\r\n"
both 'X-Forwarded-Proto' "${G}X-Forwarded-Proto: https\r\n\r\n"
both 'X-Forwarded-Proto, a list' "${G}X-Forwarded-Proto: https,http\r\n\r\n"
both 'X-Forwarded-SSL' "${G}X-Forwarded-SSL: on\r\n\r\n"
both 'the first of two Hosts' "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"
both 'Host with a colon alone' "GET / HTTP/1.1\r\nHost: a:\r\n\r\n"
both 'Host of IPv6' "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"
both 'no Host in 1.0' "GET / HTTP/1.0\r\nX: y\r\n\r\n"
both 'Version is dropped' "${G}Version: 3\r\n\r\n"
both 'a value that is not ASCII' "${G}X: \xc3\xa9\xff\r\n\r\n"
both 'HTTP/0.9' 'GET /types\r\n'
both 'its keys' 'GET /keys\r\n'
both 'any version number' "GET / HTTP/2.0\r\n$H\r\n"

both 'a body' "POST /body HTTP/1.1\r\n${H}Content-Length: 11\r\nContent-Type: text/x\r\n\r\nfirst\nsecnd"
both 'a body too long' "POST /body HTTP/1.1\r\n${H}Content-Length: 5\r\n\r\nfirst and more"
both 'in chunks, with a trailer' "POST /body HTTP/1.1\r\n${H}Transfer-Encoding: chunked\r\nTrailer: Trailer-One\r\n\r\n5\r\nfirst\r\n6\r\n\nsecnd\r\n0\r\nTrailer-One: yes\r\n\r\n"
both 'a large one' "POST /body HTTP/1.1\r\n${H}Content-Length: 200000\r\n\r\n" x:200000:a
both 'SHUT_WR behind it' -h "POST /body HTTP/1.1\r\n${H}Content-Length: 5\r\n\r\nfirst"
both 'one that ends early' -h "POST /body HTTP/1.1\r\n${H}Content-Length: 50\r\n\r\nfirst"

for path in nilvalue unknown hijack partial raise nil; do
	both "/$path" "GET /$path HTTP/1.1\r\n$H\r\n"
done
both 'pieces for HTTP/1.0' "GET /late HTTP/1.0\r\n$H\r\n"
# What ours does otherwise: no body where none may be, chunks where the length
# is not known, an empty line before the request is overlooked (RFC 9112, 2.2).
unlike '204 has no body' "$(raw "GET /204 HTTP/1.1\r\n$H\r\n")" body
unlike '304 has none' "$(raw "GET /304 HTTP/1.1\r\n$H\r\n")" body
unlike 'nor has HEAD' "$(raw "HEAD /body HTTP/1.1\r\n$H\r\n")" nil
like 'pieces are chunks' "$(raw "GET /late HTTP/1.1\r\n$H\r\n" | tr -d '\r' | tr '\n' ' ')" 'Transfer-Encoding: chunked .* 7 before  0 '
like 'an empty line first' "$(raw "\r\nGET / HTTP/1.1\r\n$H\r\n" | head -n 1)" '200 OK'
both 'Expect: 100-continue' "POST /100 HTTP/1.1\r\n${H}Expect: 100-continue\r\nContent-Length: 2\r\n\r\n" '?100 Continue' 'ab'

both 'no request' 'nonsense\r\n\r\n'
both 'a bad version' "GET / HTTP/1/1\r\n$H\r\n"
both 'a bad escape' "GET /%zz HTTP/1.1\r\n$H\r\n"
both 'a long URI' 'GET /' x:15400:a " HTTP/1.1\r\n$H\r\n"
both 'a long path' 'GET /' x:4200:a " HTTP/1.1\r\n$H\r\n"
both 'a long query' 'GET /?' x:10300:a " HTTP/1.1\r\n$H\r\n"
both 'a long fragment' 'GET /#' x:1100:a " HTTP/1.1\r\n$H\r\n"
both 'a long name' "$G" x:300:a ': b\r\n\r\n'
both 'a long value' "${G}X: " x:82000:a '\r\n\r\n'
# Theirs may reset the connection before we have read its answer.
like 'a long head' "$(raw "$G" x:6000:'Xaaaaaaaaaaaaaaaa: bbbbbbbbbb\r\n' '\r\n' | head -n 1)" '^HTTP/1.1 413 '
both 'a bad length' "POST / HTTP/1.1\r\n${H}Content-Length: x\r\n\r\n"
both 'a bad chunk' "POST /body HTTP/1.1\r\n${H}Transfer-Encoding: chunked\r\n\r\nxyz\r\n"
both 'chunked twice' "POST /body HTTP/1.1\r\n${H}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"

raise_lines() { grep -E 'app error: not today' "$1" | sed 's/.*-- : //'; }
is 'the log of an exception' "$(raise_lines "$LOG")" "$(raise_lines "$PEER_LOG")"
ok 'theirs ends' peer_stop
finish
