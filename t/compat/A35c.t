#!/bin/sh
# A35c. Process.ppid in a worker (unicorn personality) == master pid, in every
# generation; after_fork-written per-worker pid files follow respawns and reforks.
. "$(dirname "$0")/lib.sh"
with_bundle t/gems/rack3
cat >"$DIR/u.rb" <<CONF
worker_processes 2
preload_app true
pid "$DIR/u.pid"
after_fork do |server, worker|
  child_pid = server.config[:pid].sub(".pid", ".#{worker.nr}.pid")
  system("echo #{Process.pid} > #{child_pid}")
end
CONF
cat >"$DIR/config.ru" <<'END'
run ->(env) { [200, { "content-type" => "text/plain" }, ["#{Process.pid} #{Process.ppid} #{fork { File.write("#{ENV["DIR"]}/child", Process.ppid.to_s) }.then { |pid| Process.wait(pid); File.read("#{ENV["DIR"]}/child") }}\n"]] }
END
RACK_ENV=none as unicorn "$DIR/u.rb" "$DIR/config.ru"
right() {
	for nr in 0 1; do
		alive "$(cat "$DIR/u.$nr.pid")" || return 1
	done
	get / >"$DIR/got"
	read -r pid ppid childs <"$DIR/got"
	cat "$DIR/got"
	[ "$ppid" = "$MASTER" ] && [ "$childs" = "$pid" ] &&
		{ [ "$pid" = "$(cat "$DIR/u.0.pid")" ] || [ "$pid" = "$(cat "$DIR/u.1.pid")" ]; }
}
ok 'the parent is the master, a child keeps its own' right
was=$(cat "$DIR/u.0.pid")
kill -KILL "$was"
moved() { [ "$(cat "$DIR/u.0.pid")" != "$was" ] && right; }
await 'the file follows a respawn' moved
for generation in 1 2 3; do
	was=$(cat "$DIR/u.0.pid") was1=$(cat "$DIR/u.1.pid")
	kill -URG "$MASTER"
	both_moved() { [ "$(cat "$DIR/u.1.pid")" != "$was1" ] && moved; }
	await "and a refork, $generation" both_moved
done
was=$(cat "$DIR/u.0.pid") was1=$(cat "$DIR/u.1.pid")
kill -HUP "$MASTER"
await 'and HUP' both_moved
finish
