#!/bin/sh
# Work that runs by itself: a block until it is told to stop, ticks, restarts,
# listeners handed over, reforks at safe points, and the end of all work.
. "$(dirname "$0")/lib.sh"
READY='master process ready'
runs() { pids "^reforkd run ${1:-}"; }
one_run() { [ "$(runs "$1" | wc -l)" -eq 1 ] && run_was=$(runs "$1"); }
other_run() { one_run "$1" && [ "$run_was" != "$2" ]; }
said() { logged "^$1\$" "${2:-1}"; }
answers() {
	curl -sS --max-time 5 --unix-socket "$DIR/$1" http://localhost/ >"$DIR/got" 2>&1
	cat "$DIR/got"
	grep -Eq "$2" "$DIR/got"
}
status() { ctl -j status | "${RUBY:-ruby}" -rjson -e "s = JSON.parse(STDIN.read); puts($1)"; }
ctl() { timeout 20 "$REFORKCTL" -c "$CONF" "$@"; }
pool() { status "s['pools'].find { |p| p['name'] == '$1' }.fetch('$2')"; }
pool_is() { [ "$(pool "$1" "$2")" = "$3" ]; }

conf <<'END'
boot { :made }
run do |worker, made|
  warn "run begins #{made} #{Reforkd.pool} #{ENV["LISTEN_FDS"].inspect}"
  worker.on_stop { warn "on_stop" }
  worker.done while worker.wait(0.02)
  warn "run ends"
end
pool :clock do
  n = 0
  tick(0.02) { |worker| n += 1; warn "third tick" if n == 3; raise "a bad tick" if n == 4 }
  tick(60) { |worker, made| warn "once"; :done }
end
pool :web do
  listen "#{ENV["RFK_TEST"]}/web.sock"
  run do |worker|
    mine = ENV["LISTEN_PID"] == Process.pid.to_s && ENV["LISTEN_FDS"] == "1"
    server = worker.listeners.first
    while worker.running?
      next unless IO.select([server], nil, nil, 0.05)
      client, = server.accept
      client.readpartial(1000)
      client.write("HTTP/1.0 200 OK\r\n\r\nmine=#{mine} fd=#{server.fileno}\n")
      client.close
    end
  end
end
pool :traps do
  signals :own
  boot { %i[USR1 QUIT].each { |name| trap(name) { warn "own #{name}" } } }
  run do |worker|
    over = Queue.new
    trap(:TERM) { warn "own TERM"; over.close }
    Thread.new { worker.wait while worker.running? }
    over.pop
  end
end
pool :flaky do
  run { |worker| warn "flaky"; raise "no luck" unless File.exist?("#{ENV["RFK_TEST"]}/luck"); worker.wait }
end
pool :mortal do
  run { |worker| worker.done; sleep 0.1 until worker.stopping? || File.exist?("#{ENV["RFK_TEST"]}/die"); sleep 0.2; exit 3 unless worker.stopping? }
end
pool :hangs do
  timeout 0.3
  run { |worker| warn "hangs"; worker.wait(0.1); sleep if File.exist?("#{ENV["RFK_TEST"]}/hang"); worker.wait }
end
END
start "$CONF"

# A block
ok 'a run block begins, with what boot has made' said 'run begins :?made default nil'
ok 'its title' one_run 'default 0 gen 0'
await 'its units are counted' pool_is default serving 1
done_some() { [ "$(status 's["pools"][0]["slots"][0]["requests"]')" -gt 3 ]; }
await 'in the status' done_some
ok 'it reforks at a safe point' ctl refork
await 'the successor runs' one_run 'default 0 gen 1'
ok 'its elder was told to stop' said on_stop
await 'and has ended cleanly' said 'run ends'
one_run 'default 0'
old=$run_was
kill -KILL "$old"
await 'one that is killed begins again' other_run 'default 0' "$old"
one_run 'default 0'
old=$run_was
kill -QUIT "$old"
await 'one that is told to leave by hand ends' said 'run ends' 2
await 'and begins again' other_run 'default 0' "$old"

# Ticks
await 'a tick comes again and again' said 'third tick'
await 'one that raises is said' logged 'tick: a bad tick|a bad tick \(RuntimeError\)'
ticks_on() { [ "$(status 's["pools"].find { |p| p["name"] == "clock" }["slots"][0]["requests"]')" -gt 8 ]; }
await 'and they go on' ticks_on
is 'a long one has come once' "$(grep -c '^once$' "$LOG")" 1
is 'by one worker all the time' "$(pool clock generation)" 0

# Listeners
await 'listeners are handed over' answers web.sock 'mine=true fd=3'
ok 'a refork' ctl refork web
await 'keeps them' answers web.sock 'mine=true fd=3'

# Traps of its own
await 'a block with traps begins' one_run 'traps'
kill -USR1 "$run_was"
await 'a block with signals :own has USR1' said 'own USR1'
kill -QUIT "$run_was"
await 'and QUIT' said 'own QUIT'
ok 'it goes on' alive "$run_was"
ok 'a refork' ctl refork traps
await 'ends it by its own TERM' said 'own TERM'
await 'and it has ended' gone "$run_was"

# What fails
await 'a block that raises begins again' said flaky 3
ok 'and backs off' logged 'pool=flaky [0-9]+ workers in a row were of no use'
: >"$DIR/luck"
await 'until it has luck' pool_is flaky serving 1
one_run 'hangs'
old=$run_was
: >"$DIR/hang"
kill -KILL "$old"
await 'one that asked for a timeout and hangs' logged 'pool=hangs .*no sign of life'
rm "$DIR/hang"
await 'is killed and begins again' other_run hangs "$old"
: >"$DIR/die"
nok 'a refork whose donors keep dying fails' ctl refork mortal
rm "$DIR/die"
ok 'and says why' logged 'pool=mortal refork .* failed: 5 donors have ended before .*worker=0 has gone: exit 3 .*; gen=0 goes on'
await 'the pool runs' pool_is mortal serving 1
nok 'one that did not is left alone' logged 'pool=(web|clock).*no sign of life'
ok 'stops' stop
ok 'every block was told' said on_stop 3

# The end of all work
conf <<'END'
restart :on_failure
processes 2
run { |worker| warn "batch #{worker.nr}"; exit 3 if worker.nr == 1 && !File.exist?("#{ENV["RFK_TEST"]}/again") && File.write("#{ENV["RFK_TEST"]}/again", "") }
END
: >"$LOG"
timeout 20 "$REFORKD" -c "$CONF" >>"$LOG" 2>&1 </dev/null
is 'when all work is done the master leaves with 0' $? 0
is 'the part that failed was done again' "$(grep -c '^batch' "$LOG")" 3
sed -i 's/:on_failure/:never/' "$CONF"
rm "$DIR/again"
timeout 20 "$REFORKD" -c "$CONF" >>"$LOG" 2>&1 </dev/null
is 'what may not be done again makes it 1' $? 1
finish
