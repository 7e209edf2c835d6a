#!/bin/sh
# A4. -D returns 0 only when master is ready; 1 with the fixed message otherwise;
# master not session leader; detached.
# A5. pid file: content, 0644, written before preload, refused when live, stale
# reused, removed on QUIT/TERM, kept on SIGKILL.
# A11. TTIN/TTOU/WINCH(+TTIN, +HUP) as 3.4, incl. tty WINCH message.
. "$(dirname "$0")/lib.sh"
with_bundle t/gems/rack3
cat >"$DIR/u.rb" <<'END'
worker_processes 2
preload_app true
timeout 10
pid ENV["RFK_TEST"] + "/pid"
listen ENV["SOCK"]
stderr_path ENV["RFK_TEST"] + "/log"
END
cat >"$DIR/config.ru" <<'END'
File.write(ENV["RFK_TEST"] + "/at_load", File.exist?(ENV["RFK_TEST"] + "/pid").inspect)
raise "not today" if File.exist?(ENV["RFK_TEST"] + "/broken")
run ->(env) { [200, { "content-type" => "text/plain" }, ["#{Process.pid}\n"]] }
END
is_mode() { [ "$(stat -c %a "$DIR/pid")" = 644 ]; }

# In the background
ok '-D returns 0' run_as unicorn -D -c "$DIR/u.rb"
is 'says nothing' "$(cat "$DIR/out" "$DIR/err")" ''
ok 'at once it serves' body / '^[0-9]+$'
MASTER=$(cat "$DIR/pid")
is 'one number and a newline' "$(od -An -c "$DIR/pid" | tr -d ' ')" "$(printf '%s\n' "$MASTER" | od -An -c | tr -d ' ')"
ok 'mode 0644' is_mode
is 'the pid file was there before the application' "$(cat "$DIR/at_load")" true
is 'not a session leader' "$(ps -o sid= -p "$MASTER" | tr -d ' ' | grep -cx "$MASTER")" 0
is 'not in this session' "$(ps -o sid= -p "$MASTER" | tr -d ' ' | grep -cx "$(ps -o sid= -p $$ | tr -d ' ')")" 0
is 'stdin is /dev/null' "$(readlink "/proc/$MASTER/fd/0")" /dev/null
is 'so is what the file does not name' "$(readlink "/proc/$MASTER/fd/1")" /dev/null

# pid file
nok 'a second one is refused' run_as unicorn -D -c "$DIR/u.rb" -l "$DIR/other.sock"
is 'says so' "$(cat "$DIR/err" | grep -c 'master failed to start, check stderr log for details')" 1
is 'the file is untouched' "$(cat "$DIR/pid")" "$MASTER"
ok 'and so is the service' body / '^[0-9]+$'
remember
kill -KILL "$MASTER"
await 'after KILL all go' all_gone
is 'the pid file stays' "$(cat "$DIR/pid")" "$MASTER"
rm -f "$DIR/pids"
ok 'a stale one is no obstacle' run_as unicorn -D -c "$DIR/u.rb"
nok 'it is another now' [ "$(cat "$DIR/pid")" = "$MASTER" ]
MASTER=$(cat "$DIR/pid")

# More and less
await 'two workers' count 2 workers
kill -TTIN "$MASTER"
await 'TTIN: three' count 3 workers
kill -TTOU "$MASTER"
await 'TTOU: two' count 2 workers
kill -TTOU "$MASTER"
await 'TTOU: one' count 1 workers
kill -TTOU "$MASTER"
await 'TTOU: none' count 0 workers
kill -TTOU "$MASTER"
await 'is heard' logged 'SIGTTOU'
kill -TTIN "$MASTER"
await 'not less than none' count 1 workers
kill -WINCH "$MASTER"
await 'WINCH: none' count 0 workers
ok 'said so' logged 'gracefully stopping all workers'
kill -TTIN "$MASTER"
await 'TTIN then is one' count 1 workers
kill -WINCH "$MASTER"
await 'WINCH: none' count 0 workers
kill -HUP "$MASTER"
await 'HUP brings all' count 2 workers
for sig in QUIT TERM; do
	[ $sig = QUIT ] || { rm -f "$DIR/pids" && run_as unicorn -D -c "$DIR/u.rb" && MASTER=$(cat "$DIR/pid"); }
	remember
	kill -$sig "$MASTER"
	await "$sig: all go" all_gone
	ok 'and the pid file' [ ! -e "$DIR/pid" ]
done
MASTER=

# What does not start
touch "$DIR/broken"
nok 'an application that raises' run_as unicorn -D -c "$DIR/u.rb"
is 'is the fixed message' "$(cat "$DIR/err")" 'unicorn: master failed to start, check stderr log for details'
ok 'the log has the reason' logged 'not today'
ok 'no pid file' [ ! -e "$DIR/pid" ]
rm "$DIR/broken"

# A terminal that changes its size does not stop the workers.
if script -qec true /dev/null >/dev/null 2>&1 </dev/null; then
	: >"$LOG"
	# The slave's end stays open: the server's stdin is a terminal.
	(cd "$DIR" && exec timeout 60 script -qec "exec '$DIR/bin/unicorn' -c '$DIR/u.rb'" /dev/null) >/dev/null 2>&1 </dev/null &
	tty=$!
	await 'on a terminal' logged 'master process ready'
	MASTER=$(cat "$DIR/pid")
	kill -WINCH "$MASTER"
	await 'WINCH is ignored there' logged "SIGWINCH ignored because we're not daemonized"
	is 'both still serve' "$(workers | wc -l)" 2
	ok 'stops' stop QUIT
	wait "$tty"
else
	echo "# no pseudo terminal here (script): WINCH on one is not tried"
fi
finish
