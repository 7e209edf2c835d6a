#!/bin/sh
# What each signal does, native personality: to the master and to a worker.
. "$(dirname "$0")/lib.sh"
cat >"$DIR/app.rb" <<'END'
LOG_FILE = File.open(ENV.fetch("RFK_TEST") + "/app.log", "ab").tap { |file| file.sync = true }
APP = lambda do |env|
  case env["PATH_INFO"]
  when "/slow"
    File.write(ENV.fetch("RFK_TEST") + "/begun", "")
    sleep 0.01 until File.exist?(ENV.fetch("RFK_TEST") + "/go")
  when "/log" then LOG_FILE.write("line\n")
  end
  [200, { "content-type" => "text/plain" }, ["pid #{Process.pid}\n"]]
end
at_exit { LOG_FILE.write("at_exit #{Process.pid}\n") }
END
conf <<'END'
worker_processes 2
timeout 10
canary_time 0.05
pid ENV.fetch("RFK_TEST") + "/pid"
rack do
  load ENV.fetch("RFK_TEST") + "/app.rb"
  APP
end
END
again() { : >"$LOG" && rm -f "$DIR/pids" "$DIR/begun" "$DIR/go" && start "$CONF"; }
slow() { # a request that is under way
	get /slow >"$DIR/slow" 2>/dev/null &
	SLOW=$!
	until_true [ -e "$DIR/begun" ]
}
send() { kill -"$1" "$2"; }
is_worker() { [ "$(worker "$1")" = "$2" ]; }
replaced() { [ -n "$(worker "$1")" ] && [ "$(worker "$1")" != "$2" ]; }
ended() { # the master and all of its processes
	until_true gone "$MASTER" && wait "$MASTER"
	ended_status=$?
	until_true all_gone && [ $ended_status -eq 0 ] && [ ! -e "$DIR/pid" ]
}

# Graceful and immediate
for sig in TERM QUIT; do
	again
	ok 'a request is under way' slow
	remember
	send $sig "$MASTER"
	await "$sig is a graceful stop" logged "SIG$sig received, starting graceful shutdown"
	touch "$DIR/go"
	ok 'the request is answered' wait "$SLOW"
	like 'completely' "$(cat "$DIR/slow")" '^pid [0-9]+$'
	ok 'and then all have gone' ended
	ok 'the handlers of the application ran' grep -q at_exit "$DIR/app.log"
	rm -f "$DIR/app.log"
done
again
ok 'a request is under way' slow
remember
send INT "$MASTER"
ok 'INT does not wait for it' ended
nok 'the client sees the end' wait "$SLOW"

# To the whole process group, as Ctrl-C in a terminal: nobody's death is a mishap
cat >"$DIR/leader" <<END
#!/bin/sh
exec perl -e 'setpgrp or die; exec @ARGV or die' '$REFORKD' "\$@"
END
chmod +x "$DIR/leader"
sed 's/^worker_processes.*/worker_processes 8/' "$CONF" >"$DIR/group.conf.rb"
group() { # SIGNAL; five times, because it is a matter of who is first
	for try in 1 2 3 4 5; do
		: >"$LOG"
		REFORKD=$DIR/leader spawn "$DIR/group.conf.rb"
		until_true logged 'master process ready' && kill -"$1" "-$MASTER" &&
			until_true gone "$MASTER" && wait "$MASTER" || return
		MASTER=
		if grep -Ev ' INFO -- : ' "$LOG"; then return 1; fi
	done
}
conf=$CONF
for sig in INT TERM QUIT; do ok "$sig to the group is a stop like another" group $sig; done
CONF=$conf

# Those that change something
again
is 'the pid file is the master'\''s' "$(cat "$DIR/pid")" "$MASTER"
send TTIN "$MASTER"
await 'TTIN is one more' count 3 workers
send TTOU "$MASTER"
await 'TTOU is one less' count 2 workers
ok 'the last one went' is_worker 2 ''
send WINCH "$MASTER"
await 'WINCH stops all workers' count 0 workers
ok 'and not the master' alive "$MASTER"
send TTIN "$MASTER"
await 'TTIN brings one back' count 1 workers
send HUP "$MASTER"
await 'HUP brings all' generation 1 2
await 'and is done' logged 'reload to gen=1 done'
for sig in USR2 URG; do
	gen=$(grep -c 'to gen=.* done in' "$LOG")
	send $sig "$MASTER"
	await "$sig is a refork" logged "refork to gen=$((gen + 1)) done"
	await 'of all workers' generation $((gen + 1)) 2
done
ok 'which still serve' body / '^pid'

# To a worker
first=$(worker 0)
for sig in WINCH HUP TTIN TTOU; do send $sig "$first"; done
ok 'it still answers' body / '^pid'
ok 'WINCH, HUP, TTIN and TTOU are ignored' is_worker 0 "$first"
send USR2 "$(worker 1)"
await 'USR2 promotes that worker' logged 'promoting worker=1 gen=3 .*SIGUSR2 to worker=1'
await 'and the others follow' generation 4 2
for sig in QUIT TERM INT; do
	first=$(worker 0)
	send $sig "$first"
	await "$sig ends one worker" gone "$first"
	await 'and another takes its place' replaced 0 "$first"
	await 'and is ready' logged "worker=0 gen=4 pid=$(worker 0) ready"
done
nok 'none of this was an error' grep -E '(ERROR|FATAL) -- ' "$LOG"
first=$(worker 0) mold=$(molds)
send STOP "$mold"
send KILL "$first"
await 'how it ended is known while its parent is stopped' logged "worker=0 .*pid=$first ended \(SIGKILL"
send CONT "$mold"
await 'and its slot is filled again' replaced 0 "$first"
await 'by one that serves' logged "worker=0 gen=4 pid=$(worker 0) ready"

# Rotated logs
mv "$DIR/app.log" "$DIR/app.log.1"
before=$(wc -l <"$DIR/app.log.1")
send USR1 "$MASTER"
both() { logged "worker=$1 done reopening logs"; }
await 'USR1 reaches one worker' both 0
await 'and the other' both 1
for i in 1 2 3 4 5 6 7 8; do get /log >/dev/null; done
is 'what is logged goes to the new file' "$(grep -c line "$DIR/app.log")" 8
is 'and not to the old one' "$(wc -l <"$DIR/app.log.1")" "$before"
mv "$DIR/app.log" "$DIR/app.log.2"
send USR1 "$(worker 1)"
await 'USR1 to one worker' logged 'worker=1 done reopening logs' 2
is 'is its own business' "$(grep -c 'worker=0 done reopening' "$LOG")" 1
ok 'stops' stop

# In the background
cat >>"$CONF" <<'END'
stderr_path ENV.fetch("RFK_TEST") + "/err"
END
ok 'returns when the master is ready' sh -c "cd '$DIR' && timeout 15 '$REFORKD' -D -c '$CONF' -l '$SOCK' </dev/null"
MASTER=$(cat "$DIR/pid")
ok 'the pid file names the master' matches "$(tr '\0' ' ' <"/proc/$MASTER/cmdline")" 'reforkd master'
ok 'it serves at once' body / '^pid'
is 'it has left the session' "$(ps -o sid= -p "$MASTER" | tr -d ' ' | grep -cx "$(ps -o sid= -p $$ | tr -d ' ')")" 0
ok 'it logs to stderr_path' grep -q 'worker=1 .*ready' "$DIR/err"
mv "$DIR/err" "$DIR/err.1"
send USR1 "$MASTER"
await 'USR1 opens the master'\''s log again' grep -q 'worker=1 done reopening logs' "$DIR/err"
ok 'the master writes there' grep -q 'master done reopening logs' "$DIR/err"
nok 'a second one is refused' sh -c "cd '$DIR' && timeout 15 '$REFORKD' -D -c '$CONF' -l '$DIR/other' </dev/null >'$DIR/second' 2>&1"
ok 'and says why' grep -Eq "Already running on PID:$MASTER" "$DIR/second"
is 'the pid file stays' "$(cat "$DIR/pid")" "$MASTER"
remember
send QUIT "$MASTER"
await 'and it stops like the others' all_gone
ok 'without its pid file' [ ! -e "$DIR/pid" ]
MASTER=
finish
