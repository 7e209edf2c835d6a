#!/bin/sh
# A35b. A helper spawned once by before_fork (`@pid ||= spawn ..`) exists exactly
# once after 10 reforks and one HUP, survives mold retirement, is reaped when it
# exits.
. "$(dirname "$0")/lib.sh"
with_bundle t/gems/rack3
cat >"$DIR/u.rb" <<CONF
worker_processes 2
preload_app true
before_fork do |server, worker|
  @sidekiq_pid ||= spawn("exec tail -f /dev/null")
  File.write("$DIR/helper", @sidekiq_pid.to_s)
end
CONF
cat >"$DIR/config.ru" <<'END'
run ->(env) { [200, {}, ["fine\n"]] }
END
RACK_ENV=none as unicorn "$DIR/u.rb" "$DIR/config.ru"
one() { count 1 helpers && body / fine; }
helpers() { pids '^tail -f /dev/null'; }
ok 'there is one' one
helper=$(cat "$DIR/helper")
reforked() { logged 'refork to gen=[0-9]+ done' "$1"; }
for i in 1 2 3 4 5 6 7 8 9 10; do
	kill -URG "$MASTER"
	until_true reforked $i || result 1 "refork $i"
done
ok 'after ten reforks, too' one
is 'the same' "$(cat "$DIR/helper")" "$helper"
kill -HUP "$MASTER"
await 'HUP' logged 'reload to gen=11 done|done reloading'
ok 'after it, too' one
is 'the same' "$(helpers)" "$helper"
kill "$helper"
await 'it is reaped when it ends' [ ! -e "/proc/$helper" ]
ok 'nobody takes it for a worker' body / fine

# In the first mold, which has not been retired yet.
stop
: >"$LOG"
RACK_ENV=none as unicorn "$DIR/u.rb" "$DIR/config.ru"
helper=$(cat "$DIR/helper")
kill "$helper"
await 'also while its mold lives' [ ! -e "/proc/$helper" ]
finish
