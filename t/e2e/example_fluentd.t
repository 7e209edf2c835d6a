#!/bin/sh
# examples/fluentd: two daemons, lines from one to the other; none is lost when
# one begins again, is reloaded or ends.
. "$(dirname "$0")/lib.sh"
with_bundle examples/fluentd
READY='master process ready'
export DELIVER_PORT=$(free_port) COUNTER_PORT=$(free_port) COUNT=$DIR/count ALLOCATOR=arenas
sent=0
lines() { # LINES SENDS; counts what fluentd has taken
	"${RUBY:-ruby}" "$ROOT/examples/fluentd/send.rb" "$DELIVER_PORT" "$1" "$2" >"$DIR/sent" &&
		sent=$((sent + $1 * $2))
	status=$?
	cat "$DIR/sent"
	return $status
}
reached() { [ "$(cat "$COUNT")" -ge "$sent" ]; }
counted() { echo "$sent, counted: $(cat "$COUNT")" && [ "$(cat "$COUNT")" = "$sent" ]; }
running() { logged 'fluentd worker is now running' "$1"; }
runs() { pids '^reforkd run '; }

background "$REFORKD" -c "$ROOT/examples/fluentd/counter.conf"
COUNTER=$!
background "$REFORKD" -c "$ROOT/examples/fluentd/app.conf"
DELIVER=$! MASTER=$COUNTER
await 'both start' logged "$READY" 2
await 'fluentd runs in both' running 2
ok 'lines are sent' lines 500 20
await 'all of them are counted' counted
CONF=$ROOT/examples/fluentd/counter.conf
like 'as units of work, too' "$(ctl -j status)" '"requests": ?10000\b'

old=$(runs)
kill -KILL "$old"
await 'one that is killed begins again' running 3
ok 'and gets' lines 500 2
await 'what is sent' reached # what it had not acknowledged comes twice
CONF=$ROOT/examples/fluentd/app.conf
MASTER=$DELIVER
ok 'a reload' ctl reload
await 'another one runs' running 4
await 'the old one ends' logged 'worker=0 gen=0 .* ended \(exit 0 while draining\)'
sent=$(cat "$COUNT")
ok 'which gets lines' lines 500 20
ok 'a stop' stop
ok 'has flushed what was buffered' counted
MASTER=$COUNTER
nok 'nobody could not bind' logged 'EADDRINUSE'
finish
