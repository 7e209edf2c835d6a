#!/bin/sh
# The new mold dies in the middle of a reload's rollout: what goes on is the new
# code with the new listeners, however warm the old workers are.
. "$(dirname "$0")/lib.sh"
write() { # ANSWER [LINE]
	conf <<END
worker_processes 3
canary_time 0.05
listen ENV.fetch("RFK_TEST") + "/http.sock"
$2
after_worker_fork { |server, worker| File.write(ENV["RFK_TEST"] + "/forked", "") and sleep if "$1" == "two" && File.exist?(ENV["RFK_TEST"] + "/hold") && File.exist?(ENV["RFK_TEST"] + "/canary") }
after_worker_ready { |server, worker| File.write(ENV["RFK_TEST"] + "/canary", "") if "$1" == "two" }
rack { |env| [200, { "content-type" => "text/plain" }, ["$1\n"]] }
END
}
at() { curl -sS --max-time 15 --unix-socket "$DIR/$1" http://localhost/; }
warm() { for i in 1 2 3 4 5 6 7 8 9 10; do at http.sock; done >/dev/null; }
all_say() { # ANSWER: ten of ten, at both
	for i in 1 2 3 4 5 6 7 8 9 10; do
		[ "$(at http.sock)" = "$1" ] && [ "$(at second.sock)" = "$1" ] || return 1
	done
}
write one
start "$CONF"
warm
touch "$DIR/hold"
write two 'listen ENV.fetch("RFK_TEST") + "/second.sock"'
kill -HUP "$MASTER"
await 'the canary serves' logged 'the canary worker=[0-9] gen=1 serves'
await 'the next one is being made' [ -e "$DIR/forked" ]
new=$(pids '^reforkd mold gen 1')
rm "$DIR/hold"
ok 'the new mold dies' kill -KILL "$new"
kill -KILL "$(pids '^reforkd worker [0-9] gen 1: booting')" 2>/dev/null
await 'another one takes its place' logged 'recovery to gen=[0-9]+ done'
nok 'not from a worker with the old code' logged 'promoting worker=[0-9] gen=0'
await 'all have the new code and both listeners' all_say two
await 'and the last generation' generation "$(sed -n 's/.*recovery to gen=\([0-9]*\) done.*/\1/p' "$LOG" | tail -1)" 3
finish
