#!/bin/sh
# A17. before_fork runs once per spawn, before the fork, serialised; after_fork
# precedes user switch and app build; arity errors as 1.1 (A03).
# A31. worker_exec, preload true/false, client_body_buffer_size,
# rewindable_input false observable.
. "$(dirname "$0")/lib.sh"
with_bundle t/gems/rack3
cat >"$DIR/config.ru" <<'END'
File.write(ENV["RFK_TEST"] + "/order", "app pid=#{Process.pid} user=#{Process.euid}\n", mode: "a")
run ->(env) { [200, { "content-type" => "text/plain" }, ["#{Process.pid} #{$loaded_in}\n"]] }
$loaded_in = Process.pid
END
unicorn_conf() {
	conf unicorn.rb <<END
worker_processes 2
listen ENV["SOCK"]
$1
before_fork { |server, worker| say "before", worker }
after_fork { |server, worker| say "after", worker }
after_worker_ready { |server, worker| say "ready", worker }
def self.say(what, worker) = File.write(ENV["RFK_TEST"] + "/order", "#{what} #{worker.nr} pid=#{Process.pid} user=#{Process.euid}\n", mode: "a")
END
}
loader() { get / | cut -d' ' -f2; }
order() { sed 's/ pid=.*//' "$DIR/order" | tr '\n' ';'; }

unicorn_conf 'preload_app true'
as unicorn "$CONF"
await 'both workers' logged 'worker=1 .*ready'
is 'preloaded: one load, before all' "$(sed 's/ .*//' "$DIR/order" | head -n 2 | tr '\n' ' ')" 'app before '
is 'once per spawn' "$(grep -c ^before "$DIR/order") $(grep -c ^after "$DIR/order") $(grep -c ^app "$DIR/order")" '2 2 1'
unlike 'the worker did not load it' "$(get /)" '^([0-9]+) \1$'
is 'spawns do not overlap' "$(grep ^before "$DIR/order" | sed 's/.*pid=//; s/ .*//' | sort -u | wc -l)" 1
ok 'stops' stop

: >"$DIR/order"
: >"$LOG"
user=
[ "$(id -u)" = 0 ] && user='user "nobody"' && chmod 755 "$DIR" && chmod 666 "$DIR/order"
unicorn_conf "$user"
as unicorn "$CONF"
await 'both workers' logged 'worker=1 .*ready'
is 'not preloaded: a load in each' "$(grep -c ^app "$DIR/order")" 2
first=$(worker 0)
is 'after after_fork, before after_worker_ready' "$(grep "pid=$first" "$DIR/order" | sed 's/ .*//' | tr '\n' ' ')" 'after app ready '
like 'the worker loaded it' "$(get /)" '^([0-9]+) \1$'
if [ -n "$user" ]; then
	is 'after_fork as root' "$(sed -n "s/^after 0 .*user=//p" "$DIR/order")" 0
	is 'the load as the user' "$(sed -n "s/^app pid=$first user=//p" "$DIR/order")" "$(id -u nobody)"
fi
# New code by HUP.
sed -i 's/\$loaded_in}/#{$loaded_in} again}/' "$DIR/config.ru"
sed -i 's/#{#{/#{/' "$DIR/config.ru"
kill -HUP "$MASTER"
await 'HUP loads the changed application' body / again
ok 'said so' until_true logged "done reloading config_file=$CONF"
# A broken one is not served.
cp "$DIR/config.ru" "$DIR/good.ru"
echo 'raise "not today"' >"$DIR/config.ru"
kill -HUP "$MASTER"
await 'a broken one is refused' logged 'error reloading config_file=.*not today'
ok 'and the old one serves' body / again
ok 'stops' stop
finish
