#!/bin/sh
# B36. Unmodified pitchfork confs boot; `config/pitchfork.rb` default.
. "$(dirname "$0")/lib.sh"
with_bundle t/gems/rack3
echo 'run ->(env) { [200, { "content-type" => "text/plain" }, ["#{Process.pid}\n"]] }' >"$DIR/config.ru"
mkdir "$DIR/config"
cat >"$DIR/config/pitchfork.rb" <<END
worker_processes 2
listen "$SOCK", :backlog => 64
timeout 30
refork_after [50, 100, 1000]
check_client_connection false
run_once = true
after_mold_fork do |server, mold|
  if run_once
    run_once = false
  end
  Process.warmup if Process.respond_to?(:warmup)
end
before_fork { |server| GC.start }
after_worker_fork do |server, worker|
  server.logger.info("hello from #{worker.nr}")
end
END
background "$DIR/bin/pitchfork" -E production
MASTER=$!
until_true ready_or_dead
ok 'starts' serving
like 'config/pitchfork.rb is found, and serves' "$(get /)" '^[0-9]+$'
await 'its callbacks run' logged 'hello from 1'
like 'the title' "$(tr '\0' ' ' <"/proc/$MASTER/cmdline")" '^pitchfork monitor - *$'
await 'both workers' count 2 workers
kill -USR2 "$MASTER"
await 'it reforks' logged 'refork to gen=1 done'
finish
