#!/bin/sh
# The lease socket: whatever clients send, and whoever is killed, nothing is
# left behind and the next client gets its worker.
. "$(dirname "$0")/lib.sh"
AWAIT=60 # several molds and clients: a busy machine takes its time
conf <"$ROOT/t/e2e/lease.conf.rb"
start "$CONF"

LEASES=$(ls "$XDG_RUNTIME_DIR"/reforkd/*.lease)
client() { timeout 120 "${RUBY:-ruby}" "$ROOT/t/e2e/lease_client.rb" "$LEASES" "$@"; }
say() { # the figures, also when all is well
	client "$@" >"$DIR/figures" || return
	diag <"$DIR/figures" >&3
}
rests() { [ "$(workers | wc -l)" -eq 2 ] && [ "$(ls "/proc/$MASTER/fd" | wc -l)" -le "$FDS" ]; }
spares() { client ready "$1"; }
session() {
	: >"$DIR/out"
	"$REFORKCTL" -c "$CONF" lease -- "$@" >>"$DIR/out" 2>&1 </dev/null &
	SESSION=$!
	until_true grep -q pid= "$DIR/out"
	WORKER_PID=$(sed -n 's/^pid=//p' "$DIR/out")
}

is 'the socket is its owner'\''s alone' "$(stat -c %a "$LEASES")" 600
FDS=$(ls "/proc/$MASTER/fd" | wc -l)
ok 'what is wrong is answered' client wrong
ok 'a lease is its client'\''s alone' client strangers
ok 'descriptors that are not what they should be' client 'odd descriptors'
ok 'the pidfd tells' client pidfd
ok 'who does not read is dropped' client deaf
ok 'as many as may be' client many 8
ok 'a thousand at once' say crowd
await 'and none is left' rests
ok 'clients in a hurry' client hurry
await 'leave none behind' rests
ok 'a spare is leased at once' say speed 100
ok 'a death is known at once' say death 10
await 'and nothing is left of it' rests

# The mold
session wait
kill -KILL "$(molds)"
ok 'the mold dies, a session goes on' alive "$WORKER_PID"
await 'there is another one' count 1 molds
await 'and spares of it' spares 2
ok 'for the next client' client many 7
kill -TERM $SESSION
await 'it ends' gone "$WORKER_PID"

# The master
session wait
remember
kill -KILL "$MASTER"
await 'the master dies: nothing is left' all_gone
wait $SESSION
is 'and the caller ends' $(($? != 0)) 1
MASTER=
finish
