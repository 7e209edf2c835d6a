#!/bin/sh
# A18. `server.listen` per worker in after_fork; `worker.user` incl. chroot and
# array group.
. "$(dirname "$0")/lib.sh"
with_bundle t/gems/rack3
cat >"$DIR/u.rb" <<CONF
worker_processes 2
preload_app true
after_fork do |server, worker|
  server.listen("$DIR/own.#{worker.nr}", tries: -1, delay: 1, backlog: 64)
end
CONF
cat >"$DIR/config.ru" <<'END'
run ->(env) { [200, { "content-type" => "text/plain" }, ["#{Process.pid}\n"]] }
END
RACK_ENV=none as unicorn "$DIR/u.rb" "$DIR/config.ru"
at() { curl -sS --max-time 15 --unix-socket "$DIR/own.$1" http://localhost/; }
own() { # NR: always the same one answers there
	own_pid=$(at "$1") && [ -n "$own_pid" ] && [ "$(at "$1")" = "$own_pid" ] && [ "$(at "$1")" = "$own_pid" ]
}
ok 'each worker has its own' own 0
ok 'as has the other' own 1
nok 'they are two' [ "$(at 0)" = "$(at 1)" ]
is 'its mode is 0777' "$(stat -c %a "$DIR/own.1")" 777
was=$(at 1)
kill -KILL "$was"
renewed() { own 1 && [ "$own_pid" != "$was" ]; }
await 'a new worker binds it again' renewed
for i in 1 2 3; do
	was=$(at 1)
	kill -URG "$MASTER"
	await "so does a refork, $i" renewed
done
is 'no mold keeps one' "$(for pid in $(molds); do grep -c "own\\." "/proc/$pid/net/unix" >/dev/null; ls -l "/proc/$pid/fd" | grep -c 'reforkd-own'; done | sort -u | tr -d '0\n')" ''
stop || result 1 'stops'

# TCP, where the next worker of a slot binds beside the one that drains.
port=$(free_port)
cat >"$DIR/u.rb" <<CONF
worker_processes 1
preload_app true
after_fork { |server, worker| server.listen("127.0.0.1:#{$port + worker.nr}", tries: 5, tcp_nopush: true) }
CONF
: >"$LOG"
RACK_ENV=none as unicorn "$DIR/u.rb" "$DIR/config.ru"
tcp() { curl -sS --max-time 15 "http://127.0.0.1:$port/"; }
like 'a TCP listener of its own' "$(tcp)" '^[0-9]+$'
was=$(tcp)
kill -URG "$MASTER"
tcp_renewed() { tcp_pid=$(tcp) && [ -n "$tcp_pid" ] && [ "$tcp_pid" != "$was" ]; }
await 'follows a refork' tcp_renewed
ok 'and says where' logged "listening on addr=127.0.0.1:$port"
stop || result 1 'stops'

# worker.user
[ "$(id -u)" = 0 ] || finish
cat >"$DIR/u.rb" <<CONF
worker_processes 1
preload_app true
after_fork { |server, worker| worker.user("nobody", ["nogroup", "nogroup"], true); worker.switched or raise }
working_directory "$DIR/jail"
CONF
mkdir "$DIR/jail"
cat >"$DIR/config.ru" <<'END'
run ->(env) { [200, { "content-type" => "text/plain" }, ["#{Process.uid} #{Process.gid} #{Dir.pwd} #{File.exist?("/proc/self")}\n"]] }
END
: >"$LOG"
chmod 755 "$DIR"
RACK_ENV=none as unicorn "$DIR/u.rb" "$DIR/config.ru"
is 'worker.user: uid, gid, root' "$(get /)" "$(id -u nobody) $(getent group nogroup | cut -d: -f3) / false"
ok 'stops' stop

# Logs of workers that are another user, the application's own beside ours, in a
# folder that is root's: rotated, nobody leaves because the new file is not its own yet.
cat >"$DIR/u.rb" <<CONF
worker_processes 4
preload_app true
user "nobody"
stderr_path "$DIR/rotated.log"
CONF
LOG=$DIR/rotated.log
: >"$LOG"
cat >"$DIR/own.ru" <<END
OWN = File.open("$DIR/own.log", "a").tap { |file| file.sync = true }
run ->(env) { OWN.puts("asked"); [200, {}, []] }
END
RACK_ENV=none as unicorn "$DIR/u.rb" "$DIR/own.ru"
await 'all workers' logged 'worker=[0-9]+ ready' 4
before=$(workers | sort)
for i in 1 2 3 4 5; do
	mv "$DIR/rotated.log" "$DIR/rotated.log.$i"
	mv "$DIR/own.log" "$DIR/own.log.$i"
	kill -USR1 "$MASTER"
	await "rotation $i: all of them write to the new one" logged 'worker=[0-9]+ done reopening' 4
done
is 'the workers are the same' "$(workers | sort)" "$before"
is 'the file is theirs' "$(stat -c %U "$DIR/rotated.log")" nobody
is "and the application's" "$(stat -c %U "$DIR/own.log")" nobody
finish
