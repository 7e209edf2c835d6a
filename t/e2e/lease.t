#!/bin/sh
# reforkctl lease: a warm worker in place of a program. Its streams, words,
# directory, signals and end are the caller's.
. "$(dirname "$0")/lib.sh"
AWAIT=60 # several molds and clients: a busy machine takes its time
conf <"$ROOT/t/e2e/lease.conf.rb"
start "$CONF"

lease() { ctl lease "$@"; }
ends() { # STATUS CMD...
	ends_want=$1
	shift
	"$@"
	ends_got=$?
	echo "status $ends_got"
	[ $ends_got -eq "$ends_want" ]
}
session() { # WORDS...
	: >"$DIR/out"
	perl -e 'BEGIN { $SIG{$_} = "DEFAULT" for qw(INT QUIT HUP) }
		open STDOUT, ">>", shift or die; open STDIN, "<", "/dev/null" or die; exec @ARGV or die' \
		"$DIR/out" "$REFORKCTL" -c "$CONF" lease -- "$@" 2>>"$DIR/err" &
	SESSION=$!
	until_true grep -q pid= "$DIR/out"
	WORKER_PID=$(sed -n 's/^pid=//p' "$DIR/out")
}
ended() { # STATUS; of the session
	wait "$SESSION"
	ended_got=$?
	echo "status $ended_got"
	[ $ended_got -eq "$1" ]
}
said() { grep -q "$1" "$DIR/out"; }
spare() { [ "$(workers | wc -l)" -eq 2 ]; }

# What a program has of its caller
is 'stdin and stdout' "$(printf 'a\nb\n' | lease -- echo | sed 's/^[0-9]* //' | tr '\n' ' ')" 'a b '
mkdir -p "$DIR/project/sub"
: >"$DIR/project/Gemfile.lock"
is 'an environment that is no text' "$(printf 'a\nb\n' | OLDPWD=$(printf '/caf\351') lease -- echo | sed 's/^[0-9]* //' | tr '\n' ' ')" 'a b '
about=$(cd "$DIR/project/sub" && umask 027 && LANG=xx MINE_A=1 OTHER=no "$REFORKCTL" -c "$CONF" lease --key k1 -- about 'a b' '' "$(printf 'c\nd')" 2>"$DIR/err")
like 'its directory' "$about" "^cwd=$DIR/project/sub\$"
like 'its umask' "$about" '^umask=27$'
like 'its arguments' "$about" '^argv=\["about", "a b", "", "c\\nd"\]$'
like 'the directory of its Gemfile.lock' "$about" "^root=$DIR/project\$"
like 'its key' "$about" '^key=k1$'
like 'of its environment what the file lists' "$about" '^env=.*"LANG" *=> *"xx", "MINE_A" *=> *"1"}$'
like 'what boot has made' "$about" '^state=true$'
like 'stderr' "$(cat "$DIR/err")" '^said on stderr$'

# How it ends
ok 'its status' ends 3 lease -- exit 3
ok 'status 0' ends 0 lease -- exit 0
ok 'abort' ends 1 lease -- abort
ok 'an exception' ends 1 lease -- raise
like 'is said as Ruby says it' "$(lease -- raise 2>&1 | tail -n +1)" 'nobody catches it.*ArgumentError'
is 'at_exit handlers run' "$(lease -- at_exit | tr '\n' ' ')" 'block at_exit '

# Signals, both ways
session trap
kill -INT $SESSION
await 'INT' said 'got INT'
kill -WINCH $SESSION
await 'WINCH' said 'got WINCH'
kill -USR1 $SESSION
await 'USR1' said 'got USR1'
kill -TERM $SESSION
ok 'TERM, and the status of its trap' ended 7
session wait
kill -INT $SESSION
ok 'who is not trapped ends by it' ended 130
session wait
kill -KILL "$WORKER_PID"
ok 'a worker that was killed' ended 137
session deaf
kill -TERM $SESSION
ok 'one that does not obey is killed' ended 137
session wait
kill -KILL $SESSION
await 'a caller that is killed leaves no worker' gone "$WORKER_PID"
session deaf
kill -KILL $SESSION
await 'nor a deaf one' gone "$WORKER_PID"
session wait
kill -TSTP $SESSION
stopped() { [ "$(sed 's/.*) //' "/proc/$1/stat" | cut -c1)" = T ]; }
await 'TSTP stops the worker' stopped "$WORKER_PID"
kill -CONT $SESSION
runs() { ! stopped "$1"; }
await 'CONT continues it' runs "$WORKER_PID"
kill -HUP $SESSION
ok 'HUP' ended 129

# What is wrong
ok 'no such pool' ends 69 lease nobody
ok 'no server' ends 69 "$REFORKCTL" -c /dev/null lease
ok 'usage' ends 64 lease --frob
like 'and who says so' "$(lease calc --frob 2>&1)" "^reforkctl lease: unrecognized option '--frob'"
await 'spares are there again' spare

# An older session goes on
session trap
ok 'a reload' ctl reload
ok 'a session of the old generation goes on' alive "$WORKER_PID"
kill -USR1 $SESSION
await 'and is reached' said 'got USR1'
is 'the next one is new' "$(printf 'x\n' | lease -- echo | sed 's/^[0-9]* //')" x
kill -TERM $SESSION
ok 'it ends' ended 7
session trap
ctl stop >/dev/null
ok 'a stop waits for a session, then ends it' ended 137
await 'and the master ends' gone "$MASTER"
await 'without its socket' [ -z "$(ls "$XDG_RUNTIME_DIR/reforkd" | grep lease)" ]
MASTER=

# --start
ok 'starts the server when there is none' ends 5 "$REFORKCTL" lease --start "$CONF" -- exit 5
MASTER=$(ctl version >/dev/null && ctl pids | awk '/master/ { print $1 }')
ok 'which goes on' alive "$MASTER"
remember
ok 'stops' ctl stop
await 'all gone' all_gone
MASTER=

# Ten who start it at once: nine of them find one that boots yet
sed -i 's/^max 8/max 20/; s/^boot {/boot { sleep 0.3;/' "$CONF" # a slow one
for i in 1 2 3 4 5 6 7 8 9 10; do
	("$REFORKCTL" lease --start "$CONF" -- exit 5 </dev/null >/dev/null 2>"$DIR/err.$i"; echo "$?" >"$DIR/status.$i") &
	eval "pid_$i=$!"
done
for i in 1 2 3 4 5 6 7 8 9 10; do eval "wait \$pid_$i"; done
is 'ten clients at once start one server, and each has its lease' \
	"$(cat "$DIR"/status.* | tr '\n' ' '; cat "$DIR"/err.*)" '5 5 5 5 5 5 5 5 5 5 '
MASTER=$(ctl pids | awk '/master/ { print $1 }')
remember
ok 'stops' ctl stop
await 'all gone' all_gone
MASTER=
finish
