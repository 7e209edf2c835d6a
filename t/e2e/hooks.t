#!/bin/sh
# Every callback: in which process, how often, with what, in what order; what
# becomes of one that raises, and of one that never returns.
. "$(dirname "$0")/lib.sh"
AWAIT=40 # who is killed again and again is made more and more slowly
said=$DIR/said.log
conf <<CONF
worker_processes 2
timeout 1.5, soft: 0.7
spawn_timeout 1.5
hook_timeout 0.5
drain_timeout 1
canary_time 0.05
refork_after false
SAID = File.open("$said", "ab").tap { |file| file.sync = true }
say = proc do |name, server, worker, *more|
  kind = Process.pid == worker&.pid ? "self" : "other"
  SAID.syswrite([name, Process.pid, worker ? worker.to_log : "-", kind,
    server.class, server.worker_processes, *more].join("|") + "\n")
  raise "in #{name}" if File.exist?("$DIR/#{name}.raise")
  sleep if File.exist?("$DIR/#{name}.hang")
  loop { begin; loop {}; rescue; end } if File.exist?("$DIR/#{name}.loop")
end
before_fork { |server, worker| say.call(:before_fork, server, worker, worker.nr) }
after_fork { |server, worker| say.call(:after_fork, server, worker, worker.nr) }
after_mold_fork { |server, mold| say.call(:after_mold_fork, server, mold, mold.mold?) }
after_worker_fork { |server, worker| say.call(:after_worker_fork, server, worker, worker == worker.nr) }
after_worker_ready { |server, worker| say.call(:after_worker_ready, server, worker, worker.requests_count) }
before_worker_exit { |server, worker| say.call(:before_worker_exit, server, worker, worker.requests_count) }
after_request_complete { |server, worker, env| say.call(:after_request_complete, server, worker, env["PATH_INFO"]) }
after_worker_exit { |server, worker, status| say.call(:after_worker_exit, server, worker, status.class, status.pid == worker.pid, status.inspect.sub(/pid \d+/, "pid N")) }
after_monitor_ready { |server| say.call(:after_monitor_ready, server, nil) }
after_worker_timeout { |server, worker, info| say.call(:after_worker_timeout, server, worker, info.thread == Thread.main, info.rack_env["PATH_INFO"]) }
after_worker_hard_timeout { |server, worker| say.call(:after_worker_hard_timeout, server, worker) }
rack do |env|
  sleep if env["PATH_INFO"] == "/sleep"
  [200, {}, ["fine #{Process.pid}\n"]]
end
CONF
: >"$said"
start "$CONF"
whole() { count 2 workers && body / fine; }
# One that has served: its end is no failure, so that the next one comes at once.
victim() { get / | sed -n 's/fine //p'; }
whole_now() { whole && [ "$(molds | wc -l)" -eq 1 ]; }
names() { cut -d'|' -f1 "$said" | tr '\n' ' '; }
# How often a line matches; a field for each |.
told() { grep -Ec -- "$1" "$said"; }
tells() { [ "$(told "$1")" -ge "${2:-1}" ]; }
mold=$(molds) w0=$(worker 0) w1=$(worker 1)

# Boot.
is 'boot: each in its order' "$(grep -v 'worker=1' "$said" | cut -d'|' -f1 | tr '\n' ' ')" \
	'after_mold_fork after_monitor_ready before_fork after_fork after_worker_fork after_worker_ready '
ok 'after_mold_fork: in the mold, of itself' tells "^after_mold_fork\|$mold\|mold gen=0 pid=$mold\|self\|Reforkd::Server\|2\|true$"
ok 'after_monitor_ready: there' tells "^after_monitor_ready\|$mold\|-\|"
ok 'before_fork: there, of the worker that will be' tells "^before_fork\|$mold\|worker=1 gen=0 .*\|1$"
ok 'after_fork: in the worker' tells "^after_fork\|$w1\|worker=1 gen=0 pid=$w1\|self\|.*\|1$"
ok 'after_worker_fork: there; a worker is its number' tells "^after_worker_fork\|$w0\|worker=0 gen=0 pid=$w0\|self\|.*\|true$"
ok 'after_worker_ready: there' tells "^after_worker_ready\|$w1\|worker=1 gen=0 pid=$w1\|self\|.*\|0$"
for name in before_fork after_fork after_worker_fork after_worker_ready; do
	is "$name: once for each worker" "$(told "^$name")" 2
done

# Requests.
get /one >/dev/null && get /two >/dev/null
await 'after_request_complete: in the worker, with the env' tells '^after_request_complete\|.*\|self\|.*\|/two$'
is 'once' "$(told '^after_request_complete')" 2

# A killed worker.
: >"$said"
kill -KILL "$w0"
await 'killed: it is replaced' tells '^after_worker_ready'
ok 'after_worker_exit: in the mold, with its status' tells "^after_worker_exit\|$mold\|worker=0 gen=0 pid=$w0\|other\|.*\|Process::Status\|true\|#<Process::Status: pid N SIGKILL"
is 'in this order' "$(names)" 'after_worker_exit before_fork after_fork after_worker_fork after_worker_ready '
kill -QUIT "$w1"
await 'told to leave: it says so' tells "^before_worker_exit\|$w1\|worker=1 gen=0 pid=$w1\|self"
await 'and ends well' tells "^after_worker_exit\|.*worker=1 .*exit 0"
await 'it serves' whole

# Refork, reload.
: >"$said"
ok 'reforks' ctl refork
await 'refork: the old ones have gone' tells '^after_worker_exit' 2
mold1=$(molds)
ok 'before_fork: in the donor' tells "^before_fork\|[0-9]+\|worker=[01] gen=0 pid=[0-9]+\|self"
is 'once there' "$(told '^before_fork.*self')" 1
ok 'after_mold_fork: in the candidate' tells "^after_mold_fork\|$mold1\|mold gen=1 pid=$mold1\|self\|.*\|true$"
is 'once' "$(told '^after_mold_fork')" 1
is 'before_fork: twice in the new mold' "$(told "^before_fork\|$mold1\|worker=. gen=1")" 2
is 'after_worker_ready: twice' "$(told '^after_worker_ready.*gen=1')" 2
is 'before_worker_exit: twice' "$(told '^before_worker_exit.*gen=0.*self')" 2
is 'after_worker_exit: twice' "$(told '^after_worker_exit.*gen=0')" 2
is 'after_monitor_ready: not again' "$(told after_monitor_ready)" 0
: >"$said"
ok 'reloads' ctl reload
await 'reload: the old ones have gone' tells '^after_worker_exit' 2
is 'after_mold_fork' "$(told '^after_mold_fork.*gen=2')" 1
is 'each worker once' "$(told '^after_fork.*gen=2')$(told '^before_worker_exit.*gen=1')" 22
is 'after_monitor_ready: not again' "$(told after_monitor_ready)" 0

# Timeouts.
: >"$said"
w=$(worker 0)
is 'a request that hangs' "$(code /sleep)" 000
ok 'after_worker_timeout: in the worker, of its main thread' tells '^after_worker_timeout\|.*\|self\|.*\|true\|/sleep$'
await 'after_worker_hard_timeout: in the mold' tells "^after_worker_hard_timeout\|$(molds)\|worker=[01] gen=2 pid=[0-9]+\|other"
is 'each once' "$(told after_worker_timeout)$(told after_worker_hard)" 11
await 'it serves' whole

# Each that raises is logged with its place.
at() { logged "$1.*in $1" && logged "reforkd.conf.rb:[0-9]+:in "; }
for name in after_worker_exit after_worker_hard_timeout after_worker_timeout after_request_complete before_worker_exit before_fork after_worker_ready after_worker_fork after_fork; do
	: >"$LOG"
	: >"$DIR/$name.raise"
	case $name in
	after_worker_hard_timeout | after_worker_timeout) get /sleep >/dev/null 2>&1 ;;
	after_request_complete) body / fine ;;
	before_worker_exit) kill -QUIT "$(victim)" ;;
	*) kill -KILL "$(victim)" ;;
	esac
	await "$name raises: it is logged" at "$name"
	rm "$DIR/$name.raise"
	await "$name raises: it serves" whole
done
: >"$DIR/after_mold_fork.raise"
nok 'after_mold_fork raises: no refork' ctl refork
await 'it is logged' at after_mold_fork
rm "$DIR/after_mold_fork.raise"

# Each that never returns is met by a deadline, and slots are refilled.
for name in after_worker_exit after_worker_hard_timeout; do
	for how in hang loop; do
		: >"$LOG"
		: >"$DIR/$name.$how"
		mold=$(molds)
		if [ "$name" = after_worker_exit ]; then kill -KILL "$(victim)"; else get /sleep >/dev/null 2>&1; fi
		await "$name ${how}s: it is interrupted, with its place" logged "$name \(.*reforkd.conf.rb:[0-9]+\) has not returned in 0.5 s and was interrupted"
		rm "$DIR/$name.$how"
		await "$name ${how}s: the slot is refilled" whole
		is "$name ${how}s: by the same mold" "$(molds)" "$mold"
	done
done
for name in after_fork after_worker_fork after_worker_ready; do
	: >"$LOG"
	: >"$DIR/$name.hang"
	kill -KILL "$(victim)"
	await "$name hangs: killed" logged 'not ready within spawn_timeout 1.5s'
	rm "$DIR/$name.hang"
	await "$name hangs: replaced" whole
done
: >"$LOG"
: >"$DIR/before_fork.hang"
kill -KILL "$(victim)"
await 'before_fork hangs: its mold is replaced' logged 'no answer to FORK of worker=[01]'
rm "$DIR/before_fork.hang"
await 'before_fork hangs: it serves' whole_now
: >"$LOG"
: >"$DIR/after_mold_fork.hang"
nok 'after_mold_fork hangs: no refork' ctl refork
ok 'for its deadline' logged 'not ready within spawn_timeout 1.5s'
rm "$DIR/after_mold_fork.hang"
: >"$LOG"
: >"$DIR/before_worker_exit.hang"
kill -QUIT "$(victim)"
await 'before_worker_exit hangs: killed' logged 'worker=[01] .*ended \(SIGKILL'
rm "$DIR/before_worker_exit.hang"
await 'before_worker_exit hangs: replaced' whole
: >"$LOG"
: >"$DIR/after_request_complete.hang"
code / >/dev/null
await 'after_request_complete hangs: killed' logged 'worker=. .*ended \(SIGKILL'
rm "$DIR/after_request_complete.hang"
await 'after_request_complete hangs: replaced' whole

# One that does not let itself be interrupted.
cat >"$DIR/stuck.rb" <<CONF
worker_processes 2
spawn_timeout 1
hook_timeout 0.2
refork_after false
after_worker_exit { |*| Thread.handle_interrupt(Exception => :never) { sleep } if File.exist?("$DIR/stuck") }
rack { |env| [200, {}, ["fine #{Process.pid}\n"]] }
CONF
stop
: >"$LOG"
: >"$DIR/stuck"
start "$DIR/stuck.rb"
kill -KILL "$(victim)"
await 'stuck: it is named with its place' logged 'after_worker_exit \(.*stuck.rb:5\) of pid=[0-9]+ has not returned in 0.2s and cannot be interrupted'
await 'its mold is replaced' logged 'no answer to FORK'
rm "$DIR/stuck"
await 'the slot is refilled' whole
ok 'it is not run again' logged 'after_worker_exit .* did not return: mold gen=[0-9]+ pid=[0-9]+ has ended in it'
stop

# At a full stop they run before the mold leaves.
: >"$LOG"
start "$DIR/reforkd.conf.rb"
: >"$said"
stop
is 'stop: all of them' "$(grep -c '^before_worker_exit' "$said")$(grep -c '^after_worker_exit' "$said")" 22
finish
