#!/bin/sh
# An address that a reload adds: nobody can connect to it before a worker that
# will serve there, so that nobody is reset when none comes to it.
. "$(dirname "$0")/lib.sh"
port=$(free_port)
write() { # ANSWER [LINE]
	conf <<END
worker_processes 2
canary_time 0.05
listen ENV.fetch("RFK_TEST") + "/http.sock"
$2
after_worker_fork { |*| raise "not this one" if File.exist?(ENV["RFK_TEST"] + "/fail") }
rack do
  File.write(ENV["RFK_TEST"] + "/loading", "")
  sleep 0.01 while File.exist?(ENV["RFK_TEST"] + "/hold")
  ->(env) { [200, { "content-type" => "text/plain" }, ["$1\n"]] }
end
END
}
both='listen ENV.fetch("RFK_TEST") + "/second.sock", backlog: 7; listen "127.0.0.1:'$port'"'
at_unix() { curl -sS --max-time 15 --unix-socket "$DIR/second.sock" http://localhost/; }
at_tcp() { curl -sS --max-time 15 "http://127.0.0.1:$port/"; }
refused() { # 7: could not connect
	"$@"
	[ $? -eq 7 ]
}
write one
start "$CONF"

touch "$DIR/hold"
rm "$DIR/loading"
write two "$both"
kill -HUP "$MASTER"
await 'the next one loads' [ -e "$DIR/loading" ]
await 'its socket is bound' [ -S "$DIR/second.sock" ]
ok 'and refuses' refused at_unix
ok 'so does its port' refused at_tcp
is 'the old one serves' "$(get /)" one
touch "$DIR/fail"
rm "$DIR/hold"
await 'no canary comes to serve' logged 'reload to gen=1 failed'
ok 'nobody has listened' refused at_tcp
ok 'nor is the file left' [ ! -e "$DIR/second.sock" ]
nok 'nor does the log say so' logged 'listening on addr=.*(second|127.0.0.1)'
is 'the old one goes on' "$(get /)" one

rm "$DIR/fail"
ok 'once more' ctl reload
is 'it serves' "$(get /) $(at_unix) $(at_tcp)" 'two two two'
ok 'and says so' logged "listening on addr=($DIR/second.sock|127.0.0.1:$port) " 2
backlog() { ss -xlnH "src $DIR/second.sock" | awk '{ print $4 }'; }
if command -v ss >/dev/null; then is 'with its backlog' "$(backlog)" 7; fi
finish
