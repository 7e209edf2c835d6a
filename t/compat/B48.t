#!/bin/sh
# B48. The service process: starts behind the workers, is begun again when it
# dies, follows a refork, beats by itself, does not listen.
. "$(dirname "$0")/lib.sh"
with_bundle t/gems/rack3
cat >"$DIR/p.rb" <<'END'
worker_processes 2
refork_after false
timeout 3
before_fork { |server| warn "before_fork" }
after_worker_fork { |server, worker| warn "after_worker_fork #{worker.service?}" }
before_service_worker_ready do |server, service|
  warn "service begins #{service.service?} #{service.worker?} #{service.generation} #{Pitchfork.listener_names.size}"
  Thread.new { sleep }
end
before_service_worker_exit { |server, service| warn "service ends #{service.generation}" }
END
echo 'run ->(env) { [200, { "content-type" => "text/plain" }, ["#{Process.pid}\n"]] }' >"$DIR/config.ru"
service() { pids "^pitchfork .gen:${1:-[0-9]+}. service - ready"; }
one() { [ "$(service "${1:-}" | wc -l)" -eq 1 ]; }
another() { one && [ "$(service)" != "$1" ]; }
begun() { logged '^service begins true false' "$1"; }
listens() { # PID: does it hold the socket that is at $SOCK?
	inode=$(grep "$SOCK\$" /proc/net/unix | head -n 1 | awk '{ print $7 }')
	ls -l "/proc/$1/fd" | grep -q "socket:\[$inode\]"
}
RACK_ENV=none as pitchfork "$DIR/p.rb" "$DIR/config.ru"
await 'it starts' one 0
like 'is told who it is, and of the listeners' "$(grep '^service begins' "$LOG")" 'service begins true false 0 1'
like 'behind the workers' "$(grep -E 'ready$' "$LOG" | grep -E 'worker=|service' | tail -n 1)" 'service gen=0 pid=[0-9]+ ready'
ok 'logged as pitchfork does' logged 'service gen=0 spawning...'
is 'it is no worker' "$(grep -c '^after_worker_fork false' "$LOG")" 2
is 'but before_fork runs for it as well' "$(grep -c '^before_fork' "$LOG")" 3
ok 'a worker listens' listens "$(get /)"
nok 'it does not' listens "$(service)"
is 'the worker count is not its' "$(workers | wc -l)" 2

old=$(service)
kill -KILL "$old"
await 'when it dies it begins again' another "$old"
is 'and the workers do not' "$(ctl pids | grep -c worker)" 3

kill -USR2 "$MASTER"
await 'it follows a refork' one 1
ok 'it has been told to end' logged '^service ends 0'
await 'from the new mold' begun 3
kill -HUP "$MASTER"
await 'and a reload' one 2
kill -STOP "$(service)"
await 'one that hangs is found by its own heartbeat' logged 'service gen=2 pid=[0-9]+ has shown no sign of life'
await 'and begins again' begun 5
nok 'reforkctl refork service' ctl refork service
kill -QUIT "$MASTER"
until_true gone "$MASTER"
ok 'it ends with the master' logged '^service ends 2'
MASTER=
finish
