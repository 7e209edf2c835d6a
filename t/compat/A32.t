#!/bin/sh
# A32. Gems: New Relic style worker_loop patch, unicorn-worker-killer, OobGC,
# raindrops `Unicorn.listener_names` work unmodified in workers.
. "$(dirname "$0")/lib.sh"
[ -d "$ROOT"/vendor/bundle ] || skip_all 'no gems are installed (t/setup check)'
common() { # what a file has in both runs
	cat <<CONF
worker_processes 1
preload_app true
timeout 10
class Unicorn::HttpServer # as New Relic, Scout and AppSignal do it
  alias_method :worker_loop_without_agent, :worker_loop
  def worker_loop(worker)
    File.write("$DIR/agent", "in #{worker.nr} #{Process.pid}\n", mode: "a")
    worker_loop_without_agent(worker)
    File.write("$DIR/agent", "out #{worker.nr} #{Process.pid}\n", mode: "a")
  end
end
module Counting # as gctools and Discourse do it
  def process_client(client)
    super(client)
    File.write("$DIR/counted", "#{@request.env["PATH_INFO"]}\n", mode: "a")
  end
end
before_fork { |server, worker| ObjectSpace.each_object(Unicorn::HttpServer) { |s| s.extend(Counting) } }
CONF
}
pid_of() { get /pid; }
changed() { changed_now=$(pid_of) && [ -n "$changed_now" ] && [ "$changed_now" != "$1" ]; }
patches() { # WHOSE
	ok "$1: worker_loop is entered" grep -q "^in 0 $(pid_of)$" "$DIR/agent"
	get /counted >/dev/null
	await "$1: process_client is run around each request" grep -qx /counted "$DIR/counted"
	patched_was=$(pid_of)
	nok "$1: the loop goes on" grep -q "^out 0 $patched_was$" "$DIR/agent"
	kill -URG "$MASTER"
	await "$1: it reforks" changed "$patched_was"
	await "$1: the old one's loop is left" grep -q "^out 0 $patched_was$" "$DIR/agent"
	ok "$1: the new one's entered" grep -q "^in 0 $(pid_of)$" "$DIR/agent"
	is "$1: once in each" "$(grep -c "^in 0 $(pid_of)$" "$DIR/agent")" 1
	is "$1: and not left in the mold" "$(sed 's/^out 0 //p;d' "$DIR/agent" | sort | uniq -d)" ''
}

# The gem is in the bundle: it is the one that is there.
with_bundle t/gems/unicorn
common >"$DIR/u.rb"
cat >"$DIR/config.ru" <<'END'
require "unicorn"
require "unicorn/oob_gc"
require "unicorn/worker_killer"
require "raindrops"
require "rack-timeout"
use Rack::Timeout, service_timeout: 1
use Raindrops::Middleware, listeners: Unicorn.listener_names
use Unicorn::OobGC, 3, %r{\A/gc}
use Unicorn::WorkerKiller::MaxRequests, 40, 40
run lambda { |env|
  sleep if env["PATH_INFO"] == "/slow"
  text = { "/pid" => Process.pid, "/gc" => GC.count, "/whose" => Unicorn.method(:builder).source_location&.first }[env["PATH_INFO"]]
  [200, { "Content-Type" => "text/plain" }, ["#{text}\n"]]
}
END
export RACK_ENV=production
as unicorn "$DIR/u.rb" "$DIR/config.ru"
like 'with the gem: it is the gem' "$(get /whose)" '/gems/unicorn-6[^/]*/lib/unicorn.rb$'
patches 'with the gem'
like 'raindrops: calling, and the listener' "$(get /_raindrops | tr '\n' ' ')" "calling: 0 writing: 0 $SOCK active: 1 $SOCK queued: 0"
before=$(get /gc)
get /gc >/dev/null && get /gc >/dev/null && get /gc >/dev/null
ok 'OobGC: a collection after the third' [ "$(get /gc)" -gt "$before" ]
is 'rack-timeout: a slow request is ended' "$(code /slow)" 500
ok 'by its exception' logged 'Rack::Timeout::RequestTimeout'
was=$(pid_of)
spend() { get / >/dev/null; changed "$was"; }
await 'worker-killer: a worker leaves after its requests' spend
ok 'and says so' logged 'exceeds max number of requests \(limit: (3|4)[0-9]\)'
ok 'gracefully' logged "pid=$was ended \(exit 0"
stop || result 1 'stops'

# It is not: reforkd's own stands in.
rm -f "$DIR/agent" "$DIR/counted"
: >"$LOG"
with_bundle t/gems/rack3
{
	common
	echo 'HttpRequest::DEFAULTS["rack.url_scheme"] = "https"'
	echo 'Configurator::DEFAULTS[:logger].formatter = proc { |severity, _, _, text| "<#{severity}> #{text}\n" }'
} >"$DIR/u.rb"
READY='master process ready'
cat >"$DIR/config.ru" <<'END'
require "unicorn"
require "unicorn/oob_gc"
require "unicorn/preread_input"
use Unicorn::OobGC, 3, %r{\A/gc}
use Unicorn::PrereadInput
run lambda { |env|
  text = { "/pid" => Process.pid, "/gc" => GC.count, "/names" => Unicorn.listener_names.inspect,
    "/scheme" => env["rack.url_scheme"] }[env["PATH_INFO"]]
  [200, { "content-type" => "text/plain" }, ["#{text}\n"]]
}
END
as unicorn "$DIR/u.rb" "$DIR/config.ru"
patches 'without it'
is 'HttpRequest::DEFAULTS: the scheme' "$(get /scheme)" https
ok 'Configurator::DEFAULTS: the logger' logged '^<INFO> master process ready'
is 'listener_names' "$(get /names)" "[\"$SOCK\"]"
before=$(get /gc)
get /gc >/dev/null && get /gc >/dev/null && get /gc >/dev/null
ok 'OobGC: a collection after the third' [ "$(get /gc)" -gt "$before" ]
finish
