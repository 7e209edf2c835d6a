#!/bin/sh
# A31. worker_exec: each worker is the program started anew, with an address
# space and an application of its own; hooks, listeners, respawns, HUP and the
# end are as with forked ones, a refork is refused.
. "$(dirname "$0")/lib.sh"
with_bundle t/gems/rack3
cat >"$DIR/config.ru" <<'END'
stack = File.read("/proc/self/maps")[/^(\h+)-.*\[stack\]/, 1]
File.write(ENV["RFK_TEST"] + "/order", "app pid=#{Process.pid}\n", mode: "a")
File.write(ENV["RFK_TEST"] + "/seen", "#{Process.pid} #{stack} #{$kept} #{Process.ppid}\n", mode: "a")
run ->(env) { [200, { "content-type" => "text/plain" }, ["old\n"]] }
END
rules() { # LINE...
	conf unicorn.rb <<END
worker_processes 2
worker_exec true
timeout 20
listen ENV["SOCK"]
$*
@made ||= "made in #{Process.pid}"
\$kept = @made.split.last
before_fork { |server, worker| say "before", worker }
after_fork { |server, worker| say "after", worker }
after_worker_ready { |server, worker| say "ready", worker }
def self.say(what, worker) = File.write(ENV["RFK_TEST"] + "/order", "#{what} #{worker.nr} pid=#{Process.pid}\n", mode: "a")
END
}
field() { grep -v "^$(molds) " "$DIR/seen" | cut -d' ' -f"$1" | sort -u; }
rules 'preload_app true'
as unicorn "$CONF"
await 'both workers' logged 'worker=1 .*ready'
is 'each has loaded the application itself' "$(field 1)" "$(workers | sort)"
is 'as the mold has, preload_app being true' "$(grep -c ^app "$DIR/order")" 3
if [ "$(cat /proc/sys/kernel/randomize_va_space)" != 0 ]; then
	is 'each has an address space of its own' "$(field 2 | wc -l)" 2
fi
is 'variables of the file are those of the mold' "$(field 3)" "$(molds)"
is 'Process.ppid is the master' "$(field 4)" "$MASTER"
first=$(worker 0)
is 'the hooks, in their order' "$(grep -E "pid=($first|$(molds))$" "$DIR/order" | grep -E '^(app|.* 0) ' | sed 's/ .*//' | tr '\n' ' ')" 'app before after app ready '
nok 'no descriptor but ours goes along' sh -c 'ls -l "/proc/$1/fd" | grep -E "memfd:reforkd-(start|state)"' - "$first"
kill -KILL "$first"
again() { second=$(worker 0) && [ -n "$second" ] && [ "$second" != "$first" ] && grep -q "^ready 0 pid=$second$" "$DIR/order"; }
await 'one that is killed comes again' again
nok 'a refork' ctl refork
like 'says why not' "$(ctl refork 2>&1)" 'worker_exec: the workers share no memory'
sed -i 's/old/new/' "$DIR/config.ru"
kill -HUP "$MASTER"
await 'HUP: new code' body / new
await 'and done' logged "done reloading config_file=$CONF"
echo "listen \"$DIR/other.sock\"" >>"$CONF"
kill -KILL "$(worker 1)"
await 'a file with other listeners than the mold has' logged 'worker=1 .*worker_exec: the file has other listeners than when it was loaded \(reload it: HUP\)'
kill -HUP "$MASTER"
other() { SOCK=$DIR/other.sock body / new; }
await 'reloaded, they are served' other
ok 'stops' stop QUIT

rules 'refork_after [100]'
run_as unicorn -c "$CONF"
like 'worker_exec and reforks exclude each other' "$(cat "$DIR/err")" "unicorn.rb:2: worker_exec and .*unicorn.rb:5: a worker of its own image shares no memory"
finish
