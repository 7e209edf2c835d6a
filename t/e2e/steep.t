#!/bin/sh
# contrib/steep: Steep says the same with leased workers as with its own.
. "$(dirname "$0")/lib.sh"
. "$ROOT/t/e2e/steep.sh"
. "$ROOT/t/e2e/editor.sh"
AWAIT=60

session() { # JOBS PROJECT CMD...
	session_jobs=$1 session_in=$2
	shift 2
	(editor session "$session_in" "$@" langserver --jobs="$session_jobs")
}
check() { # JOBS CMD...; without what it was doing
	check_jobs=$1
	shift
	(cd "$PROJECT" && "$@" check --jobs="$check_jobs" 2>&1; echo "status $?") | grep -Ev '^[.F]*$|^#'
}
start "$CONF"
# shellcheck disable=SC2086
leased=$(check 2 $OURS)
await 'with leased workers' logged 'worker=.* ended .exit 0 while serving' 2
like 'a check finds the mistake' "$leased" 'lib/m3.rb:2:6: .error. Cannot allow method body'
like 'and fails' "$leased" '^status 1$'

# Since the mold has been made, something has gone that is needed.
rm "$PROJECT/lib/m6.rb" "$PROJECT/sig/m6.rbs"
echo 'M6.new' >>"$PROJECT/lib/m2.rb"
cp -r "$PROJECT" "$DIR/copy"
session 1 "$DIR/copy" "$RUBY" "$STEEP" >"$DIR/plain.session" 2>"$DIR/plain.err" &
plain_pid=$!
# shellcheck disable=SC2086
leased=$(check 2 $OURS)
like 'a file that has gone is missed' "$leased" 'lib/m2.rb:[0-9]+:0: .*M6'
is 'as by Steep alone, with the same words and status' "$(echo "$leased" | sort)" "$(check 1 "$RUBY" "$STEEP" | sort)"
# shellcheck disable=SC2086
session 2 "$PROJECT" $OURS >"$DIR/leased.session" 2>>"$LOG"
wait $plain_pid || cat "$DIR/plain.err" >>"$LOG"
like 'an editor is told of it' "$(cat "$DIR/leased.session")" '^lib/m3.rb:2 Ruby::MethodBodyTypeMismatch$'
is 'of its edits and of a signature, as by Steep alone' "$(cat "$DIR/leased.session")" "$(cat "$DIR/plain.session")"
like 'up to the end' "$(cat "$DIR/leased.session")" '^status 0$'
if has_neovim; then
	seen=$(cd "$PROJECT" && MISTAKE='"text"' REPAIR=3 LSP_COMMAND="$OURS langserver --jobs=1" neovim lib/m3.rb)
	like 'Neovim is told of the mistake' "$seen" '^line 2: Cannot allow method body'
	like 'and of its repair' "$seen" '^repaired$'
else
	result 0 "Neovim's session # SKIP there is no nvim here"
fi
none_leased() { [ -z "$(pids 'worker.*leased')" ]; }
await 'no worker is left behind' none_leased
# shellcheck disable=SC2086
like 'without the server Steep works by itself' "$(stop && cd "$PROJECT" && $OURS check --jobs=1 2>&1)" 'no server for .*own'
finish
