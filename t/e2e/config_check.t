#!/bin/sh
# reforkd -t prints what a file comes to in the file's own language: what it
# printed can be read again, and comes to the same.
. "$(dirname "$0")/lib.sh"
APP='rack { |env| [200, {}, []] }'
check() { # FILE ARGS: the settings without their comments
	check_file=$1
	shift
	"$REFORKD" -t -c "$check_file" "$@" >"$DIR/full" 2>&1 </dev/null || return 1
	sed -e '1d' -e 's/ *# .*$//' "$DIR/full"
}
again() { # NAME: c.rb, and what -t made of it
	ok "$1" check "$DIR/c.rb"
	check "$DIR/c.rb" >"$DIR/first"
	{ cat "$DIR/first" && echo "$APP"; } >"$DIR/again.rb"
	check "$DIR/again.rb" >"$DIR/second"
	ok 'comes to the same again' diff "$DIR/first" "$DIR/second"
	check "$DIR/c.rb" >"$DIR/first"
}
says() { # DIRECTIVE COMMENT
	grep -E "^$1 +# $2\$" "$DIR/full" || { cat "$DIR/full"; false; }
}
internal() { grep -E 'has_|config_file|personality_why|timeout_soft|malloc_|_allow|_auto|oob_gc_|_rss|_percent|umask -1' "$DIR/full"; }

echo "$APP" >"$DIR/c.rb"
again 'a file that says nothing'
nok 'no internal name is in it' internal
ok 'a default is marked' says 'worker_processes 1' default
ok 'the listener, too' says 'listen "0.0.0.0:8080", backlog: 1024' default
ok 'a derived one says from what' says 'drain_timeout 65' 'default: timeout \+ keepalive_timeout'
ok 'the personality says why' says 'personality :native' 'the file uses rack'

cat >"$DIR/c.rb" <<END
worker_processes 7
timeout 12.5, soft: 3
spawn_timeout 3
boot_timeout 4
drain_timeout 5
keepalive false
keepalive_timeout 0.25
client_body_buffer_size 0
client_max_body_size 1_000_000
early_hints true
refork_max_unavailable 3; max_consecutive_spawn_errors 5
refork_after [10, 20, false]
heap_preparation false
compact false
malloc arena_max: 2, trim: true
oob_gc budget: 0.25, guard: 0.5, leash: "1M", nursery: "2M"
refork_cpu 0.02
refork_min_gain "1M"
refork_interval 60
worker_memory_limit rss: "300M", jitter: 0.2
worker_max_requests 1000, jitter: 0
memory_budget "50%"
shared_sockets :allow
umask 0o027
user "root", "root"
working_directory "/"
pid "$DIR/a \"#{1 + 1}\" pid"
stderr_path "$DIR/err"
stdout_path "$DIR/out"
control "$DIR/control"
logger Logger.new(File::NULL)
after_worker_exit { |server, worker, status| }
listen "localhost:81", backlog: 7, tcp_nodelay: false, tcp_nopush: true, tcp_defer_accept: 5
listen "[::1]:82", ipv6only: true, reuseport: true, rcvbuf: 4096, sndbuf: 8192, tries: -1, delay: 0.25
listen "$DIR/sock", umask: 0o077
$APP
END
sed -i '1i require "logger"' "$DIR/c.rb"
again 'a file that says everything'
nok 'no internal name is in it' internal
ok 'each with its line' says 'worker_processes 7' "$DIR/c.rb:2"
ok 'a listener with its options' says \
	'listen "127.0.0.1:81", backlog: 7, tcp_nodelay: false, tcp_nopush: true, tcp_defer_accept: 5' "$DIR/c.rb:34"
check "$DIR/c.rb" -l "$DIR/l.sock" -P "$DIR/p" >"$DIR/first"
ok 'the command line is named' says "listen \"$DIR/l.sock\", backlog: 1024" 'command line'

for line in 'oob_gc false' 'oob_gc :discourse' 'oob_gc every: 7' 'refork :auto' 'refork false' \
	'worker_memory_limit "300M"' 'memory_budget "2G"' 'malloc :glibc'; do
	echo "$APP; $line" >"$DIR/c.rb"
	again "$line"
done

echo 'preload_app true' >"$DIR/c.rb"
echo 'run ->(env) { [200, {}, []] }' >"$DIR/config.ru"
(cd "$DIR" && "$REFORKD" -t -c c.rb -P "$DIR/p" >full 2>&1 </dev/null)
ok 'a default of a family is marked' says 'keepalive false' 'default of unicorn'
ok 'the rackup file is named' grep -qx "rack \"$DIR/config.ru\"" "$DIR/full"
ok 'a pid file of the command line' says "pid \"$DIR/p\"" 'command line'
PORT=83 WEB_CONCURRENCY=3
export PORT WEB_CONCURRENCY
echo "$APP" >"$DIR/c.rb"
check "$DIR/c.rb" >"$DIR/first"
ok 'so is the environment' says 'worker_processes 3' 'environment .WEB_CONCURRENCY.'
ok 'of both' says 'listen "0.0.0.0:83", backlog: 1024' 'environment .PORT.'
PORT=99999
nok 'a mistake in it' check "$DIR/c.rb"
ok 'is named' grep -q 'environment (PORT): port 99999 is out of range' "$DIR/full"

APP='worker { }'
printf 'key :root, :lock\nmax_molds 3\nidle_timeout 12.5\nruby :project\n%s\n' "$APP" >"$DIR/c.rb"
again 'a mold for each project'
ok 'its key' says 'key :root, :lock' "$DIR/c.rb:1"
finish
