#!/bin/sh
# contrib/steep: workers are replaced in the middle of checks and edits, and none
# of these is lost or made twice; no worker outlives its editor.
. "$(dirname "$0")/lib.sh"
. "$ROOT/t/e2e/steep.sh"
AWAIT=60
export REFORKD_STEEP_GAIN=100000 # when we ask for it only
start "$CONF"
none_leased() { [ -z "$(pids 'worker.*leased')" ]; }

# shellcheck disable=SC2086
(CONF=$CONF editor refork "$PROJECT" $OURS langserver --jobs=3) >"$DIR/session" 2>>"$LOG"
like 'a change that is buffered when the copy is made is not lost' "$(cat "$DIR/session")" '^round 0 is right$'
like 'edits on the way are made once; and again' "$(cat "$DIR/session")" '^round 1 is right$'
like 'a session goes on with the Steepfile that it began with' "$(cat "$DIR/session")" '^the Steepfile is as it was$'
like 'also when workers were released at the request of the editor' "$(cat "$DIR/session")" '^released, and it is as it was$'
like 'it ends while a check runs' "$(cat "$DIR/session")" '^status 0$'
await 'and leaves no worker' none_leased
ok 'each time a copy of the first worker became the mold' logged 'refork to gen=2 done .*Reforkd.promote'
# shellcheck disable=SC2086
(REFORKD_STEEP_IDLE=0.4 CONF=$CONF editor rest "$PROJECT" $OURS langserver --jobs=3) >"$DIR/session" 2>>"$LOG"
is 'workers without work are released, and leased again for it' "$(cat "$DIR/session")" "first
lib/m3.rb:2 Ruby::MethodBodyTypeMismatch
edits, workers: those of two files at most
a signature is known to all
hover: String
definition: m1.rbs
status 0"
# shellcheck disable=SC2086
(editor two "$PROJECT" $OURS langserver --jobs=2) >"$DIR/session" 2>>"$LOG"
is "another editor's workers are replaced, too; each has its own texts" "$(sed 's/:[0-9]*//' "$DIR/session")" "the one
lib/m3.rb Ruby::MethodBodyTypeMismatch
lib/m4.rb Ruby::MethodBodyTypeMismatch
the other"
await 'both are killed while a check runs, and leave no worker' none_leased
await 'but the spare one' count 1 workers
finish
