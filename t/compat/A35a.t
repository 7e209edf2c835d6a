#!/bin/sh
# A35a. Heroku TERM idiom yields a graceful stop of the whole server and does not
# make workers unkillable.
. "$(dirname "$0")/lib.sh"
with_bundle t/gems/rack3
cat >"$DIR/u.rb" <<CONF
worker_processes 2
preload_app true
timeout 20
before_fork do |server, worker|
  Signal.trap("TERM") do
    puts "Unicorn master intercepting TERM and sending myself QUIT instead"
    Process.kill "QUIT", Process.pid
  end
end
after_fork do |server, worker|
  Signal.trap("TERM") { puts "Unicorn worker intercepting TERM and doing nothing. Wait for master to send QUIT" }
end
CONF
cat >"$DIR/config.ru" <<'END'
run lambda { |env|
  if env["PATH_INFO"] == "/slow"
    File.write("#{ENV["DIR"]}/began", "")
    sleep 0.1 until File.exist?("#{ENV["DIR"]}/go")
  end
  [200, {}, ["#{Process.pid}\n"]]
}
END
RACK_ENV=none as unicorn "$DIR/u.rb" "$DIR/config.ru"
w=$(get /)
kill -TERM "$w"
ok 'TERM to a worker: what its trap says' alive "$w"
await 'is done' logged 'worker intercepting TERM'
kill -QUIT "$w"
await 'QUIT ends it' gone "$w"
await 'it is replaced' body / '[0-9]'
get /slow >"$DIR/slow" &
slow=$!
until_true [ -e "$DIR/began" ]
# Heroku sends it to every process.
remember
for pid in $(pids .); do kill -TERM "$pid" 2>/dev/null; done
await 'TERM to all is a graceful stop' logged 'SIGTERM received, starting graceful shutdown'
: >"$DIR/go"
wait $slow
like 'what had begun is answered' "$(cat "$DIR/slow")" '^[0-9]+$'
await 'then it ends' gone "$MASTER"
wait "$MASTER"
is 'with 0' $? 0
MASTER=
await 'and nothing is left' all_gone
finish
