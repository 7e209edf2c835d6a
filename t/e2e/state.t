#!/bin/sh
# Instance variables of the configuration outlive a mold: `@pid ||= spawn(...)`
# is one process over forks, reforks, HUP and the death of the mold.
. "$(dirname "$0")/lib.sh"
conf <<CONF
worker_processes 2
refork_after false
spawn_timeout 20
hook_timeout 1
@booted = (@booted || 0) + 1
@helper ||= spawn("tail -f /dev/null")
@thread = Thread.new { sleep }
@large = "x" * 2_000_000
@set_of_mine = {:a => [1, 2.5, nil], "b" => Time.at(0)}
before_fork do |server, worker|
  @other ||= spawn("tail -f /dev/null")
  File.write("$DIR/state", "#{@booted} #{@helper} #{@other} #{@exits} #{@set_of_mine[:a]}\n")
end
after_worker_exit { |server, worker, status| @exits = (@exits || 0) + 1 }
rack { |env| [200, {}, ["fine\n"]] }
CONF
start "$CONF"
state() { cut -d' ' -f"$1" "$DIR/state"; }
state_is() { [ "$(state "$1")" = "$2" ]; }
helpers() { pids '^tail -f /dev/null'; }
two() { count 2 helpers && body / fine; }
ok 'one helper of each kind' two
helper=$(state 2) other=$(state 3)
ok 'a variable that Marshal refuses is named' logged '@thread does not outlive this mold .*Marshal refuses it: no _dump_data is defined for class Thread' 1
ok 'so is one that is too large' logged '@large does not outlive this mold .*takes 2000[0-9]+ bytes' 1
ok 'reforks' ctl refork
await 'no more of them' two
kill -KILL "$(worker 0)"
await 'a worker is replaced' logged 'ended \(SIGKILL'
await 'it serves' two
ctl reload
await 'reloads' state_is 1 2
is 'with the same helper' "$(state 2)" "$helper"
is 'and the other' "$(state 3)" "$other"
ok 'and what a callback had counted' [ "$(state 4)" -ge 3 ]
exits=$(state 4)
kill -KILL "$(molds)"
await 'a mold that was killed is replaced' logged 'mold gen=3 .*ready'
kill -KILL "$(worker 1)"
more_exits() { [ "$(state 4)" -gt "$exits" ]; }
again() { kill -KILL "$(worker 1)"; until_true more_exits; }
ok 'by one that knows' again
is 'the helper' "$(state 2)" "$helper"
is 'and the other' "$(state 3)" "$other"
ok 'two they are' two
ok 'alive' alive "$helper"
kill "$helper" "$other"
await 'one that ends is reaped' [ ! -e "/proc/$helper" ]
await 'so is the other' [ ! -e "/proc/$other" ]
for i in 1 2 3 4 5 6 7 8 9 10; do ctl refork >/dev/null; done
ok 'it serves' body / fine
stop
ok 'and stops' [ -z "$MASTER" ]
finish
