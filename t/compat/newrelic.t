#!/bin/sh
# A32. The agent of newrelic_rpm, the gem itself: it takes reforkd for unicorn,
# waits with its threads until a worker runs, and begins anew in each worker,
# refork or not. Its collector is a port where nobody listens.
. "$(dirname "$0")/lib.sh"
with_bundle t/gems/unicorn
"${RUBY:-ruby}" -e 'require "newrelic_rpm"' >/dev/null 2>&1 || skip_all 'newrelic_rpm is not installed (t/setup check)'
cat >"$DIR/newrelic.yml" <<'END'
production:
  license_key: 0123456789012345678901234567890123456789
  app_name: reforkd
  host: 127.0.0.1
  port: 1
  log_file_path: STDOUT
  log_level: debug
  send_data_on_exit: false
  utilization: {detect_aws: false, detect_azure: false, detect_gcp: false, detect_pcf: false, detect_docker: false, detect_kubernetes: false}
END
cat >"$DIR/u.rb" <<'END'
worker_processes 1
preload_app true
timeout 10
after_fork { |_server, _worker| NewRelic::Agent.after_fork(force_reconnect: true) }
END
cat >"$DIR/config.ru" <<'END'
require "newrelic_rpm"
NewRelic::Agent.manual_start
run lambda { |env|
  said = { "/traced" => NewRelic::Agent::Tracer.current_transaction.class,
    "/agent" => NewRelic::Agent.agent.class }[env["PATH_INFO"]]
  [200, { "content-type" => "text/plain" }, ["#{said || Process.pid}\n"]]
}
END
export RACK_ENV=production NEW_RELIC_ENV=production NRCONFIG="$DIR/newrelic.yml"
begun() { logged "\[NewRelic\].*\($1\)\] DEBUG : Creating Ruby agent worker thread"; }
as unicorn "$DIR/u.rb" "$DIR/config.ru"
ok 'it takes reforkd for unicorn' logged '\[NewRelic\].*INFO : Dispatcher: unicorn$'
ok 'and defers its threads' logged '\[NewRelic\].*Deferring startup of agent reporting thread because unicorn may fork'
nok 'there are none in the mold' begun "$(molds)"
was=$(worker 0)
await 'they begin in the worker' begun "$was"
is 'it is the agent' "$(get /agent)" NewRelic::Agent::Agent
is 'a request is traced' "$(get /traced)" NewRelic::Agent::Transaction
kill -URG "$MASTER"
await 'it reforks, threads or not' logged 'refork to gen=1 done'
now=$(worker 0)
ok 'in another worker' [ "$now" != "$was" ]
await 'where they begin again' begun "$now"
is 'a request is traced' "$(get /traced)" NewRelic::Agent::Transaction
nok 'nothing has raised' logged 'ERROR -- :'
finish
