#!/bin/sh
# B46. Soft timeout callback thread, env extend_deadline moves both, hard timeout
# signal configurable, log lines. First beside pitchfork's own, with its shortest
# limits and all at once; what is ours alone is in t/e2e/extend.t.
. "$(dirname "$0")/lib.sh"
PEER_GEMS=t/gems/pitchfork
need_peer pitchfork
export RACK_ENV=none
cat >"$DIR/p.rb" <<'END'
worker_processes 3
timeout 3, cleanup: 2
said = File.open(ENV["SAID"], "ab").tap { |file| file.sync = true }
say = ->(*words) { said.syswrite("#{words.join(" ")}\n") }
after_worker_timeout do |server, worker, info|
  info.copy_thread_variables!
  say.call(:soft, info.rack_env["PATH_INFO"], Thread.current.name, info.thread.equal?(Thread.main),
    Thread.current.thread_variable_get(:mine), Thread.current[:local], worker.pid == Process.pid,
    info.thread.backtrace.any? { |line| line.include?("config.ru") }, server.respond_to?(:logger))
end
before_worker_exit { |_server, worker| say.call(:leaves, worker.nr.class) if $path == "/soft" }
after_worker_hard_timeout { |_server, worker| say.call(:hard, File.read("/proc/#{worker.pid}/stat")[/\) (\w)/, 1]) }
timeout_signal do |pid|
  say.call(:signal, pid.class)
  :PROF
end
END
cat >"$DIR/config.ru" <<'END'
at_exit { File.write("#{ENV["SAID"]}.exit", $path) if $path == "/soft" }
run lambda { |env|
  $path = env["PATH_INFO"]
  limit = env["pitchfork.timeout"]
  text = "ok"
  File.write("#{ENV["SAID"]}#{$path.tr("/", ".")}", "")
  case $path
  when "/soft"
    Thread.current[:local] = 7
    Thread.current.thread_variable_set(:mine, 8)
    sleep 20
  when "/stuck"
    begin
      sleep 20
    ensure
      sleep 20
    end
  when "/extend"
    before = limit.deadline
    left = before - Process.clock_gettime(Process::CLOCK_MONOTONIC)
    same = limit.extend_deadline("4").equal?(limit)
    text = [left.between?(1.5, 3.01), (limit.deadline - before).round, same, limit.inspect[/\A\D+/]].join(" ")
    sleep 5.6
  end
  [200, { "content-type" => "text/plain" }, ["#{text}\n"]]
}
END
ask() { # NAME PATH: in the background
	curl -s --max-time 20 -w '%{http_code}' -o "$DIR/$1$2" --unix-socket "$3" "http://localhost$2" >"$DIR/$1$2.code"
}
asks() { # NAME SOCK
	mkdir "$DIR/$1"
	for path in /soft /extend /stuck; do
		ask "$1" $path "$2" &
		eval "$1_jobs=\"\${$1_jobs:-} $!\""
		until_true [ -e "$SAID.${path#/}" ]
	done
}
plainly() { # LOG: what is about timeouts
	perl -ne 'next unless s/^[A-Z], \[[^\]]*\] +(\w+) -- (?=\[|:)/$1 -- /;
		next unless /timed out|exiting|reaped/;
		s/(pid[ =:])\d+/$1N/g; s/worker=\d+/worker=N/g; s/(killing).*/$1/; print' "$1" | sort -u
}
ended() { grep -q 'reaped.*SIGPROF' "$1" && grep -q 'reaped.*exit 0' "$1"; }
SAID=$DIR/said.peer
export SAID
ok 'pitchfork starts' peer pitchfork "$DIR/p.rb" "$DIR/config.ru"
asks peer "$PEER_SOCK"
SAID=$DIR/said.ours
with_bundle t/gems/pitchfork
as pitchfork "$DIR/p.rb" "$DIR/config.ru"
asks ours "$SOCK"
# Meanwhile: what is no signal
for wrong in ':NOPE' '99' '[]' 'nil'; do
	echo "timeout_signal $wrong" >"$DIR/wrong.rb"
	nok "timeout_signal $wrong" run_as pitchfork -c "$DIR/wrong.rb" -l "$DIR/w.sock"
	ok 'is named with its place' holds "$DIR/err" 'wrong.rb:1: timeout_signal must be a symbol or a proc'
done
echo 'timeout_signal { |a, b| :KILL }' >"$DIR/wrong.rb"
nok 'a block of two' run_as pitchfork -c "$DIR/wrong.rb" -l "$DIR/w.sock"
ok 'is refused as pitchfork does' holds "$DIR/err" 'timeout_signal=#<Proc:.* has invalid arity: 2 \(need 1\)'

for job in $ours_jobs $peer_jobs; do wait "$job"; done
await 'ours: the hard limit ends one by the signal' ended "$LOG"
await 'pitchfork too' ended "$PEER_LOG"
for who in ours peer; do
	is "$who: soft limit: no answer" "$(cat "$DIR/$who/soft.code")" 000
	is "$who: hard limit: no answer" "$(cat "$DIR/$who/stuck.code")" 000
	is "$who: more time is more time, beyond both" "$(cat "$DIR/$who/extend.code" "$DIR/$who/extend")" \
		"200true 4 true #<Pitchfork::HttpServer::TimeoutHandler#"
done
plainly "$PEER_LOG" >"$DIR/theirs"
plainly "$LOG" >"$DIR/mine"
ok 'the same log lines' diff -U0 "$DIR/theirs" "$DIR/mine"
is 'all five' "$(wc -l <"$DIR/mine")" 5
sort "$DIR/said.peer" >"$DIR/theirs"
sort "$DIR/said.ours" >"$DIR/mine"
ok 'the same callbacks, with the same' diff -U0 "$DIR/theirs" "$DIR/mine"
ok 'the soft one' grep -qx 'soft /soft Pitchfork::Timeout true 8 7 true true true' "$DIR/mine"
ok 'at_exit ran' grep -qx /soft "$DIR/said.ours.exit"
ok 'ours says which request it was' logged 'timed out, killing: GET /stuck after [5-9]\.[0-9]+s'
ok 'and where it was' logged 'soft timeout: GET /soft has taken [34][0-9]+ ms of 5000'
peer_stop
finish
