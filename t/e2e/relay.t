#!/bin/sh
# reforkctl lease --relay: an editor's session goes on when its worker does not.
. "$(dirname "$0")/lib.sh"
AWAIT=60

with() { grep -v "^${1%% *}" "$ROOT/t/e2e/relay.conf.rb" && echo "$1"; } # DIRECTIVE
session() { "${RUBY:-ruby}" "$ROOT/t/e2e/relay_client.rb" "$1" "$REFORKCTL" -c "$CONF" lease --relay; }
editor() { # CASE; what it has seen is $seen, what reforkctl said $DIR/err
	seen=$(session "$1" 2>"$DIR/err")
	printf '%s\n' "$seen" | diag
}
editor_begin() { # CASE; waits until it is ready
	session "$1" >"$DIR/$1.seen" 2>"$DIR/$1.err" &
	EDITOR_PID=$!
	until_true grep -q '^ready' "$DIR/$1.seen"
}
editor_end() { # CASE PID
	wait "$2"
	seen=$(cat "$DIR/$1.seen")
	cp "$DIR/$1.err" "$DIR/err"
	printf '%s\n' "$seen" | diag
}
fine() { # STATUS; all that was to be seen was seen
	printf '%s\n' "$seen"
	cat "$DIR/err"
	printf '%s\n' "$seen" | grep -q "^status $1\$" && ! printf '%s\n' "$seen" | grep -q '^NO'
}
said() { grep -Eq -- "$1" "$DIR/err"; }

# Its server stops, and no other one comes for as long as a relay is patient:
# the rest of this goes on meanwhile.
with 'drain_timeout 0.1' >"$DIR/stopped.conf.rb"
start "$DIR/stopped.conf.rb"
editor_begin stopped
stopped_pid=$EDITOR_PID
ok 'a server stops under two editors' stop

conf <"$ROOT/t/e2e/relay.conf.rb"
: >"$LOG"
start "$CONF"
editor death
ok 'a worker is killed in the middle, and the editor notices nothing' fine 0
ok 'a human may' said 'worker [0-9]+ was ended by signal KILL'
editor generation
ok 'a new generation takes over' fine 0
editor limit
ok 'the third death in a minute is the last' fine 70
ok 'and it is said' said 'third worker within a minute'
editor garbage
ok 'nobody is believed; exit without shutdown is 1' fine 1
ok 'what the worker said is named' said "speaks no LSP.*puts of somebody"
ok 'broken JSON is named' said 'a message of the editor is dropped: it is not JSON'
ok 'a document that is not open is named' said 'didClose of nowhere, which is not open'
editor frames
ok 'an editor that speaks no LSP' fine 76
ok 'and what it said' said 'the editor speaks no LSP: .*99999999999'
editor end
ok 'the end of its input is the end of the worker, with its status' fine 4
editor killed
await 'a relay that is killed leaves no worker' gone "${seen#worker }"
await 'leaves the spare workers' count 2 workers

editor_begin restart
kill -KILL "$MASTER"
until_true gone "$MASTER"
wait "$MASTER" 2>/dev/null
: >"$LOG"
start "$CONF"
editor_end restart "$EDITOR_PID"
ok 'a server is killed, and the session is at the next one' fine 0
nok 'before its worker has ended' said 'was ended|ended with'
ok 'stops' stop

with 'key :root' >"$DIR/keyed.conf.rb"
: >"$LOG"
READY='master process ready' start "$DIR/keyed.conf.rb"
editor drain
ok 'a worker that is to drain is replaced, at once and again' fine 0
nok 'before it is ended' said 'was ended|ended with'
ok 'this one stops, too' stop

with 'worker_memory_limit uss: "90M", jitter: 0' >"$DIR/limited.conf.rb"
: >"$LOG"
start "$DIR/limited.conf.rb"
editor grow
ok 'so is one that has more memory than it may' fine 0
ok 'which the log says' logged 'has [0-9]+ MB .USS.*above its 90 MB of worker_memory_limit'
nok 'before it is ended, too' said 'was ended|ended with'

editor_end stopped $stopped_pid
ok 'nobody comes, and what is asked is answered' fine 69
ok 'and it is said why' said 'no master runs .*stopped.conf.rb: is it running[?]$'
finish
