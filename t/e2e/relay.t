#!/bin/sh
# reforkctl lease --relay: an editor's session goes on when its worker does not.
. "$(dirname "$0")/lib.sh"
conf <"$ROOT/t/e2e/relay.conf.rb"
AWAIT=60
start "$CONF"

editor() { # CASE [FLAG]; what it has seen is $seen, what reforkctl said $DIR/err
	seen=$("${RUBY:-ruby}" "$ROOT/t/e2e/relay_client.rb" "$1" "$REFORKCTL" -c "$CONF" lease --relay 2>"$DIR/err")
	printf '%s\n' "$seen" | diag
}
fine() { # STATUS; all that was to be seen was seen
	printf '%s\n' "$seen"
	cat "$DIR/err"
	printf '%s\n' "$seen" | grep -q "^status $1\$" && ! printf '%s\n' "$seen" | grep -q '^NO'
}
said() { grep -Eq -- "$1" "$DIR/err"; }

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
finish
