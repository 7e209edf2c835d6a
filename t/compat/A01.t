#!/bin/sh
# A1. Unmodified `unicorn.conf.rb` example (worker_processes, working_directory,
# listen x 2, timeout, pid, stderr/stdout_path, preload_app, before_fork,
# after_fork with AR) boots and serves.
. "$(dirname "$0")/lib.sh"
with_bundle t/gems/rack3
mkdir -p "$DIR/app/current" "$DIR/app/shared/pids" "$DIR/app/shared/log"
cat >"$DIR/app/current/config.ru" <<'E2'
run ->(env) { [200, { "content-type" => "text/plain" }, ["#{Base.calls.inspect} #{ENV["PWD"]}\n"]] }
E2
# What the callbacks of such files talk to.
cat >"$DIR/record.rb" <<'E2'
class Base
  class << self
    def calls = @calls ||= []
    def connection = self
    def disconnect! = calls << :disconnect
    def establish_connection = calls << :establish
  end
end
module ActiveRecord; end
ActiveRecord::Base = Base
E2
port=$(free_port)
cat >"$DIR/unicorn.conf.rb" <<E2
worker_processes 4
working_directory "$DIR/app/current" # available in 0.94.0+
listen "$DIR/app/.unicorn.sock", :backlog => 64
listen $port, :tcp_nopush => true
timeout 30
pid "$DIR/app/shared/pids/unicorn.pid"
stderr_path "$DIR/app/shared/log/unicorn.stderr.log"
stdout_path "$DIR/app/shared/log/unicorn.stdout.log"
preload_app true
check_client_connection false
run_once = true
before_fork do |server, worker|
  defined?(ActiveRecord::Base) and ActiveRecord::Base.connection.disconnect!
  if run_once
    run_once = false # prevent from firing again
  end
  # sleep 1
end
after_fork do |server, worker|
  # addr = "127.0.0.1:#{9293 + worker.nr}"
  # server.listen(addr, :tries => -1, :delay => 5, :tcp_nopush => true)
  defined?(ActiveRecord::Base) and ActiveRecord::Base.establish_connection
end
E2

begin() { # CONF SOCKET
	LOG=$DIR/app/shared/log/unicorn.stderr.log
	: >"$LOG"
	SOCK=$2
	background "$DIR/bin/unicorn" -r "$DIR/record" -c "$1"
	MASTER=$!
	until_true ready_or_dead
	await 'all four are ready' logged 'worker=[0-3] .*ready' 4
}
begin "$DIR/unicorn.conf.rb" "$DIR/app/.unicorn.sock"
like 'the socket serves, with what the callbacks did' "$(get /)" '^\[:disconnect.*:establish\] .*/app/current$'
like 'and so does the port' "$(curl -sS --max-time 15 "http://127.0.0.1:$port/")" ':establish'
is 'the pid file names the master' "$(cat "$DIR/app/shared/pids/unicorn.pid")" "$MASTER"
is 'in the directory that the file names' "$(readlink "/proc/$(worker 0)/cwd")" "$DIR/app/current"
ok 'its stdout is a file' [ -e "$DIR/app/shared/log/unicorn.stdout.log" ]
ok 'stops' stop QUIT
ok 'and the pid file is gone' [ ! -e "$DIR/app/shared/pids/unicorn.pid" ]

# The gem's own file, but for its paths and its port.
program=$(peer_program unicorn) && example=${program%/bin/unicorn}/examples/unicorn.conf.rb
if [ -n "$program" ] && [ -e "$example" ]; then
	sed "s|/path/to|$DIR|; s|listen 8080|listen $port|" "$example" >"$DIR/example.conf.rb"
	begin "$DIR/example.conf.rb" "$DIR/.unicorn.sock"
	like 'the original serves' "$(get /)" ':establish'
	like 'on its port too' "$(curl -sS --max-time 15 "http://127.0.0.1:$port/")" ':establish'
fi
finish
