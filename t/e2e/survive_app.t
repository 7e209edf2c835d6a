#!/bin/sh
# What an application may do to itself: reforkd says what happened, replaces
# what it broke, and goes on or exits 1 with nothing left behind.
. "$(dirname "$0")/lib.sh"
with_bundle t/gems/"${RACK:-rack3}"
READY='master process ready' # all workers

# Before it serves: one clear line, exit 1, no process, no socket.
fails() { # NAME ERE, the config on stdin
	conf
	: >"$LOG"
	rm -f "$SOCK"
	spawn "$CONF"
	until_true gone "$MASTER"
	wait "$MASTER"
	fails_status=$?
	MASTER=
	is "$1: exit 1" "$fails_status" 1
	ok "$1: says so" logged "$2"
	ok "$1: leaves nothing" [ -z "$(strays)" ]
	ok "$1: not even its socket" [ ! -e "$SOCK" ]
}
cat >"$DIR/raises.ru" <<'END_RU'
raise "no database here"
END_RU
cat >"$DIR/exits.ru" <<'END_RU'
exit 0
END_RU
cat >"$DIR/crashes.ru" <<'END_RU'
Process.kill :SEGV, Process.pid
sleep
END_RU
fails 'an application that raises at load' 'no database here' <<CONF
rack "$DIR/raises.ru"
CONF
fails 'one that exits at load' 'exit.0. was called at .*exits.ru:1' <<CONF
rack "$DIR/exits.ru"
CONF
fails 'one that crashes at load' 'mold failed to boot.*SIG(SEGV|ABRT)' <<CONF
rack "$DIR/crashes.ru"
CONF
fails 'one that never ends to load' 'boot_timeout 1\.0' <<CONF
boot_timeout 1
rack { |env| }
after_mold_fork { |*| sleep }
CONF
fails 'a mistake in the file' 'reforkd.conf.rb:2.*worker_processes' <<CONF
# on the second line
worker_processes "many"
CONF
fails 'a setting that does not exist' 'reforkd.conf.rb:1.*work_harder' <<CONF
work_harder true
CONF

# A port that is taken.
env -u RFK_TEST perl -MIO::Socket::INET -e '$| = 1; my $s = IO::Socket::INET->new(Listen => 1,
	LocalAddr => "127.0.0.1") or die; print $s->sockport, "\n"; alarm 60; $s->accept' >"$DIR/port" &
holder=$!
until_true [ -s "$DIR/port" ]
fails 'a port that is taken' "127.0.0.1:$(cat "$DIR/port").*in use" <<CONF
listen "127.0.0.1:$(cat "$DIR/port")", tries: 1, delay: 0.1
rack { |env| }
CONF
kill "$holder"

# While it serves.
conf <<CONF
worker_processes 2
timeout 1
canary_time 0.1
refork_after false
before_fork { |*| raise "in before_fork" if File.exist? "$DIR/before_fork" }
after_fork { |*| raise "in after_fork" if File.exist? "$DIR/after_fork" }
after_mold_fork { |*| raise "in after_mold_fork" if File.exist? "$DIR/after_mold_fork" }
after_worker_fork { |*| raise "in after_worker_fork" if File.exist? "$DIR/after_worker_fork" }
after_worker_ready { |*| raise "in after_worker_ready" if File.exist? "$DIR/after_worker_ready" }
before_worker_exit { |*| raise "in before_worker_exit" if File.exist? "$DIR/before_worker_exit" }
after_worker_exit { |*| raise "in after_worker_exit" if File.exist? "$DIR/after_worker_exit" }
after_request_complete { |*| raise "in after_request_complete" if File.exist? "$DIR/after_request_complete" }
rack do |env|
  case env["PATH_INFO"]
  when "/exit" then exit 3
  when "/exit!" then exit! 4
  when "/abort" then Process.kill(:ABRT, Process.pid) && sleep
  when "/segv" then Process.kill(:SEGV, Process.pid) && sleep
  when "/loop" then loop {}
  when "/leak" then (\$leaked ||= []).concat(Array.new(50) { IO.pipe })
  when "/all" then begin; loop { (\$leaked ||= []) << File.open("/dev/null") }; rescue Errno::EMFILE; end
  when "/stray" then File.write("$DIR/stray", spawn("tail -f /dev/null", pgroup: true).to_s)
  when "/daemon" then fork { fork { exit! 0 }; exit! 0 }
  end
  [200, { "content-type" => "text/plain" }, ["fine\n"]]
end
CONF
: >"$LOG"
ulimit -n 256 # soon used up
start "$CONF"
whole() { count 2 workers && body / fine; }

for path in 'exit!' abort segv; do
	code "/$path" >/dev/null
	await "/$path: a worker ended" logged "ended .*during GET /$path"
	await "/$path: it is replaced" whole
done
code /exit >/dev/null
await 'exit: it is replaced' whole
is 'an endless loop gets no answer' "$(code /loop)" 000
ok 'it is killed, with method and path' logged 'timeout \(1\.[0-9]+s > 1\.000s\), killing: GET /loop'
await 'and replaced' whole
is 'descriptors may leak' "$(code /leak)$(code /leak)" 200200
ok 'a refork of a worker that leaks' ctl refork
is 'two workers have no descriptor left' "$(code /all)$(code /all)" 200200
is 'they go on' "$(code /)$(code /)$(code /)" 200200200
await 'a reload replaces them' ctl reload
is 'children may be left' "$(code /stray)$(code /daemon)" 200200
await 'it serves' whole

# Hooks that raise: what they guard fails, and only that.
for hook in before_fork after_fork after_mold_fork after_worker_fork after_worker_ready; do
	: >"$DIR/$hook"
	ctl refork --no-wait >/dev/null
	await "$hook raises: logged" logged "in $hook"
	rm "$DIR/$hook"
	await "$hook raises: it serves" whole
	await "$hook no longer raises: reforks" ctl refork
done
for hook in before_worker_exit after_worker_exit after_request_complete; do
	: >"$DIR/$hook"
	whole
	ok "$hook raises: a refork" ctl refork
	await "$hook raises: logged" logged "in $hook"
	rm "$DIR/$hook"
	await "$hook raises: it serves" whole
done
# Its worker went long ago, so it is the master's to reap.
stray=$(cat "$DIR/stray")
ok 'a child left behind lives as long as it likes' alive "$stray"
kill "$stray"
await 'and leaves no zombie' [ ! -e "/proc/$stray" ]
stop INT || result 1 'stops at once'

# A log at its limit of size: lines are lost, and nothing else.
: >"$LOG"
background sh -c 'ulimit -f 8192; exec "$@"' - "$REFORKD" -c "$CONF" -l "$SOCK"
MASTER=$!
await 'with a log that has a limit it starts' whole
limit=$(awk '/^Max file size/ { print $4 }' "/proc/$MASTER/limits")
perl -e 'truncate $ARGV[0], $ARGV[1]' "$LOG" "$limit"
ok 'at the limit it reforks' ctl refork
kill -KILL "$(worker 0)"
await 'and replaces' whole
is 'and has said nothing' "$(wc -c <"$LOG")" "$limit"
ok 'and serves' body / fine
ok 'and stops' stop
: >"$LOG"

# A full disk under the log: nothing can be said, all is served.
perl -e 'chdir $ENV{DIR}; open STDERR, ">", "/dev/full"; open STDOUT, ">&STDERR"; exec @ARGV' \
	"$REFORKD" -c "$CONF" -l "$SOCK" &
MASTER=$!
await 'with a full disk it starts' whole
await 'reforks' ctl refork
kill -KILL "$(worker 0)"
await 'and replaces' whole
kill -USR1 "$MASTER"
ok 'and serves' body / fine
finish
