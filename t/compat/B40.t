#!/bin/sh
# B40. Rollout gated on READY: with an after_worker_fork that takes its time and
# refork_max_unavailable 1, ready workers are never fewer than n-1. Nor than n:
# the hook holds each successor until the test has looked.
. "$(dirname "$0")/lib.sh"
with_bundle t/gems/rack3
cat >"$DIR/p.rb" <<END
worker_processes 3
refork_max_unavailable 1
spawn_timeout 60
after_worker_fork do |server, worker|
  next if worker.generation.zero?
  File.write("$DIR/held", "#{worker.nr}\n", mode: "a")
  sleep 0.02 until File.exist?("$DIR/let.#{worker.nr}")
end
END
# A request that stays until there are three: each must have a worker.
cat >"$DIR/config.ru" <<'END'
run lambda { |env|
  here = File.join(ENV["RFK_TEST"], env["PATH_INFO"])
  File.write(here, "#{Process.pid}\n", mode: "a")
  sleep 0.01 until File.readlines(here).size >= 3
  [200, { "content-type" => "text/plain" }, ["together\n"]]
}
END
together() { # NAME: three requests, each behind the other's begin, are served at once
	for together_n in 1 2 3; do
		get "/$1" &
		until_true entered "$1" "$together_n" || return
	done >"$DIR/$1.out"
	until_true answered "$1" && [ "$(sort -u "$DIR/$1" | wc -l)" -eq 3 ]
}
entered() { [ -e "$DIR/$1" ] && [ "$(wc -l <"$DIR/$1")" -eq "$2" ]; }
answered() { [ "$(grep -c together "$DIR/$1.out")" -eq 3 ]; }
held() { [ "$(wc -l <"$DIR/held")" -eq "$1" ]; }
: >"$DIR/held"
RACK_ENV=none as pitchfork "$DIR/p.rb" "$DIR/config.ru"
await 'three workers' logged 'worker=[0-2] .*ready' 3
ok 'all serve' together before
kill -USR2 "$MASTER"
for n in 1 2 3; do
	await "successor $n is held before it is READY" held "$n"
	ok 'meanwhile three serve' together "held$n"
	ok 'and no other successor is under way' held "$n"
	is 'three workers and this one' "$(workers | wc -l)" 4
	: >"$DIR/let.$(tail -n 1 "$DIR/held")"
done
await 'the rollout ends' logged 'refork to gen=1 done'
await 'with all of the new generation' generation 1 3
ok 'who serve' together after
finish
