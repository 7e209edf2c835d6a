#!/bin/sh
# A13. Worker killed -9/QUIT/TERM/exit N -> same nr respawned; log level
# ERROR/INFO per status; after_worker_exit gets a real Process::Status.
# A14. Worker over `timeout` -> SIGKILL, the log line, client EOF, respawn;
# SIGSTOP master 4 s + CONT kills nobody (t/e2e/survive_master.t stops it).
# A33. at_exit handlers run in workers on QUIT, not on TERM.
# A7. TERM/INT (unicorn mode): in-flight killed at once, exit 0. A6. QUIT.
. "$(dirname "$0")/lib.sh"
conf <<'END'
worker_processes 1
timeout 3
after_worker_exit { |server, worker, status| File.write(ENV["RFK_TEST"] + "/exits", "#{worker.nr} #{status.class} #{status.success?.inspect} #{status.exitstatus.inspect} #{status.termsig.inspect}\n", mode: "a") }
END
cat >"$DIR/config.ru" <<'END'
at_exit { File.write(ENV["RFK_TEST"] + "/at_exits", "#{Process.pid}\n", mode: "a") }
run(lambda do |env|
  case env["PATH_INFO"]
  when "/exit" then exit!(3)
  when "/slow"
    File.write(ENV["RFK_TEST"] + "/begun", "")
    sleep 0.01 until File.exist?(ENV["RFK_TEST"] + "/go")
  when "/forever" then sleep
  end
  [200, { "content-type" => "text/plain" }, ["#{Process.pid}\n"]]
end)
END
with_bundle t/gems/rack3
replaced() { [ "$(worker 0)" != "$1" ] && body / '^[0-9]+$'; }
: >"$DIR/at_exits"
as unicorn "$CONF" -E none
for how in 'KILL ERROR SIGKILL (signal 9)' 'QUIT INFO exit 0' 'TERM INFO exit 0' 'INT INFO exit 0'; do
	sig=${how%% *} rest=${how#* }
	level=${rest%% *} status=${rest#* }
	pid=$(worker 0)
	kill -"$sig" "$pid"
	await "$sig: another one with its number" replaced "$pid"
	if [ "$sig" = QUIT ]; then at_exits=1; else at_exits=0; fi
	is "$sig: at_exit ran so often" "$(grep -cx "$pid" "$DIR/at_exits")" "$at_exits"
	ok "is $level" grep -F "$level -- : reaped #<Process::Status: pid $pid $status> worker=0" "$LOG"
done
pid=$(worker 0)
nok 'exit 3: no answer' get /exit
await 'another one' replaced "$pid"
ok 'is ERROR' grep -F "ERROR -- : reaped #<Process::Status: pid $pid exit 3> worker=0" "$LOG"
seen() { [ "$(tr '\n' ';' <"$DIR/exits")" = '0 Process::Status nil nil 9;0 Process::Status true 0 nil;0 Process::Status true 0 nil;0 Process::Status true 0 nil;0 Process::Status false 3 nil;' ]; }
await 'after_worker_exit sees each status' seen

pid=$(worker 0)
nok 'over the timeout: the client sees the end' get /forever
ok 'the line' logged "ERROR -- : worker=0 PID:$pid timeout \\([0-9]+s > 3s\\), killing"
await 'and another one' replaced "$pid"

# In flight, at the end
slow() {
	rm -f "$DIR/begun" "$DIR/go"
	get /slow >"$DIR/slow" 2>/dev/null &
	SLOW=$!
	until_true [ -e "$DIR/begun" ]
}
again() { : >"$LOG" && rm -f "$DIR/pids" && as unicorn "$CONF" -E none; }
ended() { until_true gone "$MASTER" && wait "$MASTER"; }
for sig in TERM INT; do
	[ $sig = TERM ] || again
	ok 'a request is under way' slow
	remember
	kill -$sig "$MASTER"
	ok "$sig ends it with 0" ended
	nok 'and the request with it' wait "$SLOW"
	await 'all have gone' all_gone
	ok 'the last line' sh -c "tail -n 1 '$LOG' | grep -q 'master complete'"
done
again
ok 'a request is under way' slow
remember
kill -QUIT "$MASTER"
await 'QUIT waits' logged 'SIGQUIT received'
touch "$DIR/go"
ok 'the request is answered' wait "$SLOW"
ok 'and it ends with 0' ended
ok 'workers are reaped' logged 'reaped #<Process::Status: pid [0-9]+ exit 0> worker=0'
again
ok 'a request is under way' slow
remember
kill -QUIT "$MASTER"
await 'QUIT waits for the timeout at most' gone "$MASTER"
nok 'and the request is lost' wait "$SLOW"
MASTER=

# pitchfork's TERM is graceful, INT is not.
: >"$LOG"
rm -f "$DIR/pids"
echo 'worker_processes 1' >"$CONF"
as pitchfork "$CONF" -E none
ok 'a request is under way' slow
remember
kill -TERM "$MASTER"
await 'pitchfork: TERM waits' logged 'TERM received, starting graceful shutdown'
touch "$DIR/go"
ok 'the request is answered' wait "$SLOW"
ok 'and it ends with 0' ended
ok 'the last line' logged 'monitor complete status=0'
for line in 'worker=0 gen=0 spawning\.\.\.' 'worker=0 gen=0 pid=[0-9]+ spawned' 'worker=0 gen=0 pid=[0-9]+ ready' \
	'worker=0 gen=0 pid=[0-9]+ reaped \(#<Process::Status: pid [0-9]+ exit 0>\)' 'monitor process ready'; do
	ok "said: $line" logged "$line"
done
MASTER=
finish
