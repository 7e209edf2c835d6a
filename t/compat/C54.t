#!/bin/sh
# C54. `reforkctl restart`: the master becomes the program that is on disk, with
# the same pid; its workers go on until those of a fresh mold serve. A program or
# an application that is broken leaves the old one serving. TIMES=20: so many under load.
AWAIT=${AWAIT:-30}
. "$(dirname "$0")/lib.sh"
with_bundle t/gems/rack3
mkdir "$DIR/own"
cp "$B/reforkd" "$B/reforkd-mold" "$DIR/own"
[ ! -d "$B/compat" ] || ln -s "$B/compat" "$DIR/own/compat"
PROGRAM=$DIR/own/reforkd READY='master process ready' TIMES=${TIMES:-5}
REFORKD=$PROGRAM REFORKD_FAULT=takeover:stop REFORKD_FAULT_FILE=$DIR/armed
export REFORKD_FAULT REFORKD_FAULT_FILE
cat >"$DIR/app.ru" <<'END'
raise "no such table" if File.exist?("#{ENV["RFK_TEST"]}/broken")
code = File.read("#{ENV["RFK_TEST"]}/code")
eval File.read(ENV["IDLOG"]), binding, ENV["IDLOG"]
map("/code") { run ->(env) { [200, { "content-type" => "text/plain" }, [code]] } }
END
IDLOG=$ROOT/t/apps/idlog.ru
export IDLOG
echo one >"$DIR/code"
conf <<CONF
worker_processes 2
refork_after false
canary_time 0.05
pid "$DIR/master.pid"
rack "$DIR/app.ru"
CONF
cp "$CONF" "$DIR/good"
start "$CONF"

# Under load
descriptors() { ls "/proc/$MASTER/fd" | wc -l; }
quiet() { ctl status --json | perl -MJSON::PP -e 'my $s = decode_json(join "", <STDIN>);
	exit !!grep { $_->{refork_stage} ne "NONE" || grep { ($_->{state} // "SERVING") ne "SERVING" } @{$_->{slots}} } @{$s->{pools}}'; }
until_true quiet
had=$(descriptors)
ok 'the load runs' load_start -c 4 -t 300 --think 10
restarts=0
while [ $restarts -lt "$TIMES" ] && ctl restart >"$DIR/restarted" 2>&1; do restarts=$((restarts + 1)); done
is "restarts under load" "$restarts" "$TIMES"
ok 'no request has failed' load_stop
is 'the same pid' "$(cat "$DIR/master.pid") $(ctl pids | sed -n 's/ master.*//p')" "$MASTER $MASTER"
is 'all of them have been one process' "$(grep -c "#$MASTER\].*restarted in place" "$LOG")" "$TIMES"
like 'reforkctl says what came of it' "$(cat "$DIR/restarted")" '^reload to gen=[0-9]+ done in [0-9]+ms \(restart, asked by reforkctl'
await 'nothing is under way' quiet
await 'no descriptor is left over' eval '[ "$(descriptors)" -le "$had" ]'
unlike 'nothing shows in its arguments' "$(tr '\0' ' ' <"/proc/$MASTER/cmdline")" state
nok 'nothing was out of order' logged 'no row for|breaks? the protocol|FATAL|SIGKILL'

# New code, by itself and behind a mistake
echo two >"$DIR/code"
cat >>"$DIR/good" <<END
pool(:more) { processes 1; canary_time 0.05; listen "$DIR/more.sock"; rack { ->(env) { [200, {}, ["#{Process.pid}\n"]] } } }
END
cp "$DIR/good" "$CONF"
ok 'a restart' ctl restart
is 'takes new code' "$(get /code)" two
more() { SOCK=$DIR/more.sock get /; }
await 'and another pool' more
until_true quiet
were=$(workers)
kept() { # NAME REASON: refused, and nobody has changed
	ctl restart >"$DIR/refused" 2>&1
	is "$1: exit 1" $? 1
	like 'says why' "$(cat "$DIR/refused")" "$2"
	is 'the same workers' "$(workers)" "$were"
	is 'serve' "$(get /code)" two
}
first=$(more)
touch "$DIR/broken"
kept 'an application that does not load' 'reload to gen=[0-9]+ failed: .*no such table.*goes on'
is 'the other pool has noticed nothing' "$(more)" "$first"
rm "$DIR/broken"
echo 'worker_processes :many' >>"$CONF"
kept 'a mistake in the file' 'the program .*reforkd says no \(exit 1\): .*reforkd.conf.rb:[0-9]+: .*worker_processes.*this master goes on'
cp "$DIR/good" "$CONF"

# A broken program
program() { # stdin: what is there instead
	rm -f "$PROGRAM"
	cat >"$PROGRAM"
	chmod +x "$PROGRAM"
}
program <<'END'
#!/bin/sh
echo 'unknown option' >&2
exit 1
END
kept 'a program that exits' 'says no \(exit 1\): unknown option'
program <<'END'
#!/bin/sh
kill -SEGV $$
END
kept 'one that crashes' 'says no \(SIGSEGV'
chmod -x "$PROGRAM"
kept 'one that is not executable' 'cannot execute .*: Permission denied'
rm "$PROGRAM"
kept 'none' 'cannot execute .*: No such file or directory'
program <<'END'
#!/bin/sh
echo $$ >"$RFK_TEST/asked"
exec perl -e 'sleep 60 while 1'
END
ok 'one that says nothing' ctl restart --no-wait
await 'is asked' [ -s "$DIR/asked" ]
nok 'meanwhile there is no other' ctl restart
like 'and it says so' "$(ctl restart 2>&1)" 'another restart is under way'
kill -KILL "$(cat "$DIR/asked")"
await 'its end is an answer' logged 'says no \(SIGKILL'
is 'the same workers' "$(workers)" "$were"
rm "$PROGRAM"
cp "$B/reforkd" "$PROGRAM"

# What happens while nobody looks: deaths, signals.
is_stopped() { grep -q '^State:.T' "/proc/$MASTER/status"; }
touch "$DIR/armed"
mark=$(wc -l <"$LOG")
ok 'a restart' ctl restart --no-wait
await 'that stops between the programs' is_stopped
victim=$(worker 1 | head -n 1) mold=$(molds | head -n 1)
kill -KILL "$victim" "$mold"
kill -USR1 "$MASTER"
kill -CONT "$MASTER"
seen() { tail -n "+$mark" "$LOG" | grep -Eq -- "$1"; }
await 'a worker that died meanwhile is buried' seen "pid=$victim ended \(SIGKILL"
await 'and the mold' seen "pid=$mold ended \(SIGKILL"
await 'a signal is heard' seen 'master reopening logs'
await 'all is well again' quiet
is 'it serves' "$(get /code)" two
finish
