#!/bin/sh
# The deadline of a unit of work as the application moves it, and what ends a
# worker that is past it.
. "$(dirname "$0")/lib.sh"
conf <<'END'
worker_processes 1
timeout 1.5, soft: 0.4
drain_timeout 0.3
spawn_timeout 2
refork_after false
timeout_signal :SIGWINCH
after_worker_timeout { |_, _, info| info.rack_env["pitchfork.timeout"].extend_deadline(1) if info.rack_env["PATH_INFO"] == "/late" }
rack do |env|
  case env["PATH_INFO"]
  when "/more" then Reforkd.extend_deadline(2) && File.write("#{ENV["RFK_TEST"]}/begun", "") && sleep(2.2)
  when "/late" then sleep 1.8
  when "/less" then env["pitchfork.timeout"].extend_deadline(-1) && sleep(9)
  when "/child" then Process.wait(fork { exit!(Reforkd.extend_deadline(9) ? 1 : 0) }) && (next [$?.exitstatus + 200, {}, []])
  when "/word" then (env["pitchfork.timeout"].extend_deadline("soon") rescue next [418, {}, []])
  end
  [200, {}, ["fine\n"]]
end
early = Reforkd.extend_deadline(1)
$stderr.puts "before any: #{early}"
END
start "$CONF"
ok 'outside of a unit it says no' logged 'before any: false'
is 'the callback may extend, too' "$(code /late)" 200
ok 'after the soft limit' logged 'soft timeout: GET /late has taken [0-9]+ ms of 1500'
is 'a process that the application forks moves nothing' "$(code /child)" 200
is 'what is no number is refused' "$(code /word)" 418
code /more >"$DIR/code" &
job=$!
await 'a unit is extended' [ -e "$DIR/begun" ]
kill -HUP "$MASTER"
wait "$job"
is 'a reload lets it finish beyond drain_timeout' "$(cat "$DIR/code")" 200
await 'the new one serves' generation 1 1
is 'less is at once' "$(code /less)" 000
ok 'the signal is sent' logged 'sent Window changed to worker=0'
ok 'who does not go is killed' logged 'is still there after timeout_signal, killing'
await 'it serves again' body / fine
finish
