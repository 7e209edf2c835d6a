#!/bin/sh
# HUP: the new file comes into force as a whole, or nothing changes at all.
. "$(dirname "$0")/lib.sh"
write() { # WORKERS ANSWER [LINE...]
	write_n=$1 write_answer=$2
	shift 2
	conf <<END
worker_processes $write_n
canary_time 0.05
listen ENV.fetch("RFK_TEST") + "/http.sock"
$(for line; do printf '%s\n' "$line"; done)
rack { |env| [200, { "content-type" => "text/plain" }, ["$write_answer\n"]] }
END
}
hup() { kill -HUP "$MASTER"; }
done_to() { logged "reload to gen=$1 done"; }
failed() { [ "$(grep -c 'reload to gen=.* failed' "$LOG")" -eq "$1" ]; }
answers() { [ "$(get /)" = "$1" ]; }
at() { curl -sS --max-time 15 --unix-socket "$DIR/$1" http://localhost/; }
refuses() { ! at "$1"; }
inode() { stat -c %i "$1"; }

write 2 one
start "$CONF"
is 'the first answer' "$(get /)" one
socket=$(inode "$SOCK")
"$LOAD" -c 4 -t 60 -p / --mode get --any --think 5 --ready-file "$DIR/load.ready" \
	"$SOCK" >"$DIR/load.out" 2>&1 &
LOADER=$!
await 'load begins' [ -e "$DIR/load.ready" ]

# What changes
write 3 two
hup
await 'a changed application serves' done_to 1
await 'with the new number of workers' generation 1 3
is 'and the new answer' "$(get /)" two
is 'on the same socket' "$(inode "$SOCK")" "$socket"

write 1 three 'listen ENV.fetch("RFK_TEST") + "/second.sock"'
hup
await 'an added listener' done_to 2
is 'is served' "$(at second.sock)" three
await 'and fewer workers' count 1 workers
write 1 four
hup
await 'a dropped listener' done_to 3
nok 'is closed' at second.sock
is 'the other is not' "$(get /)" four

write 1 five 'pid ENV.fetch("RFK_TEST") + "/new.pid"'
hup
await 'a pid file that was not there' done_to 4
is 'is written' "$(cat "$DIR/new.pid")" "$MASTER"

# What must not
survives() { # N NAME: the Nth failure, everything as before
	hup
	await "$2 fails" failed "$1"
	is 'the old answer' "$(get /)" five
	ok 'the old worker' [ "$(worker 0)" = "$old" ]
	is 'the old pid file' "$(cat "$DIR/new.pid")" "$MASTER"
	await 'no second mold' count 1 molds
}
await 'and one worker' count 1 workers
old=$(worker 0)
write 4 six 'worker_processes (3'
survives 1 'a syntax error'
ok 'named with its line' logged "error reloading config_file=$CONF: $CONF:[0-9]+: syntax error"
write 4 six 'timout 3'
survives 2 'an unknown directive'
ok 'named with its line' logged "error reloading config_file=$CONF: $CONF:4: unknown directive: timout"
write 4 six 'listen ENV.fetch("RFK_TEST") + "/third.sock"' 'listen "/nowhere/at/all.sock"'
survives 3 'a listener that cannot be'
ok 'is named' logged "error reloading config_file=$CONF: .*/nowhere/at/all.sock"
ok 'the one before it is gone again' [ ! -e "$DIR/third.sock" ]
write 4 six 'pid ENV.fetch("RFK_TEST") + "/other.pid"'
echo 'rack { raise "not today" }' >>"$CONF"
survives 4 'an application that raises'
ok 'is named with its line' logged "error reloading config_file=$CONF: .*not today .RuntimeError. at $CONF:6"
ok 'no pid file is written' [ ! -e "$DIR/other.pid" ]
write 4 six 'after_worker_fork { |server, worker| raise "not here" }'
survives 5 'a worker that does not begin'
ok 'is named' logged 'canary worker=0 .*not here'
rm "$CONF"
survives 6 'a file that is not there'
ok 'is named' logged "error reloading config_file=$CONF: $CONF: cannot be read"

write 2 seven
hup
await 'a good file is taken again' answers seven
await 'by all' count 2 workers
ok 'the pid file that it does not name is gone' until_true [ ! -e "$DIR/new.pid" ]
write 2 eight
hup
hup
hup
await 'HUP thrice' answers eight
ok 'no request was lost meanwhile' load_stop
finish
