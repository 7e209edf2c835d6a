#!/bin/sh
# A9. USR2: unicorn personality -> binary upgrade with .oldbin, UNICORN_FD,
# titles; pitchfork personality -> refork. Second USR2 refused with the right
# message; failed upgrade restores pid file; back-out sequence (WINCH, HUP old,
# QUIT new) works.
# A16. Deploy idiom (server.config[:pid].oldbin, worker.nr+1 >=
# server.worker_processes) inside before_fork/after_fork retires the old master.
# A19. working_directory symlink switch + USR2 runs new release; START_CTX[0]=/
# ENV changes from config and before_exec reach the exec'd image.
. "$(dirname "$0")/lib.sh"
with_bundle t/gems/rack3
port=$(free_port)
for release in one two three; do
	mkdir "$DIR/$release"
	cat >"$DIR/$release/config.ru" <<END
run ->(env) { [200, { "content-type" => "text/plain" }, ["$release #{Process.pid} #{ENV["FROM_FILE"]} #{ENV["FROM_EXEC"]} fds=#{ENV["UNICORN_FD"]}\n"]] }
END
done
ln -s one "$DIR/current"
mkdir "$DIR/pidfiles"
cat >"$DIR/u.rb" <<END
worker_processes 2
timeout 10
preload_app true
working_directory "$DIR/current"
listen "$SOCK"
listen "127.0.0.1:$port"
pid "$DIR/pidfiles/u.pid"
stderr_path "$LOG"
ENV["FROM_FILE"] = "file"
before_exec { |server| ENV["FROM_EXEC"] = ENV["FROM_EXEC"].to_s + "x" }
after_fork do |server, worker|
  File.write("$DIR/new.#{Process.pid}", server.pid)
  File.rename("$DIR/new.#{Process.pid}", "$DIR/seen.#{Process.ppid}")
end
END
pid() { cat "$DIR/pidfiles/u.pid$1" 2>/dev/null; }
is_serving() { [ "$(get / | cut -d' ' -f1)" = "$1" ]; }
saw() { [ "$(cat "$DIR/seen.$1")" = "$2" ]; }
other() { [ -n "$(pid)" ] && [ "$(pid)" != "$1" ] && alive "$(pid)"; }
title() { tr '\0' ' ' <"/proc/$1/cmdline"; }
lives_titled() { matches "$(title "$1")" "$2"; }

ok 'starts' run_as unicorn -D -c "$DIR/u.rb"
MASTER=$(pid)
like 'the first release' "$(get /)" '^one [0-9]+ file  fds=$'
like 'the title' "$(title "$MASTER")" "^unicorn master -D -c $DIR/u.rb"
"$LOAD" -c 2 -t 60 -p / --mode get --any --think 10 --ready-file "$DIR/load.ready" \
	"$SOCK" >"$DIR/load.out" 2>&1 &
LOADER=$!
await 'load begins' [ -e "$DIR/load.ready" ]

# Upgrade
old=$MASTER
ln -sfn two "$DIR/current"
kill -USR2 "$old"
await 'USR2: another master' other "$old"
new=$(pid)
is 'the old one has its .oldbin' "$(pid .oldbin)" "$old"
await 'the old one is titled so' lives_titled "$old" '^unicorn master \(old\) '
ok 'what is executed' logged "executing \\[\"$DIR/bin/unicorn\", \"-D\", \"-c\", \"$DIR/u.rb\"\\] \\(in $DIR/current\\)"
for addr in "$SOCK" "127.0.0.1:$port"; do
	await "inherited $addr" logged "inherited addr=$addr fd=[0-9]+"
done
is 'it was not bound again' "$(grep -c "listening on addr=$SOCK" "$LOG")" 1
await 'the new one is ready' logged 'master process ready' 2
is 'the new one is the old one'\''s child' "$(ps -o ppid= -p "$new" | tr -d ' ')" "$old"
is 'in the same session' "$(ps -o sid= -p "$new" | tr -d ' ')" "$(ps -o sid= -p "$old" | tr -d ' ')"
kill -USR2 "$old"
await 'a second USR2 is refused' logged "reexec-ed child already running PID:$new"
kill -USR2 "$new"
await 'and so is one to the new' logged "old PID:$old running with existing pid=$DIR/pidfiles/u.pid.oldbin, refusing rexec"
is 'the pid file is still the new one'\''s' "$(pid)" "$new"

# Back out: WINCH old, HUP old, QUIT new
kill -WINCH "$old"
two_only() { for i in 1 2 3 4 5 6; do is_serving two || return 1; done; }
await 'WINCH: only the new one serves' two_only
kill -HUP "$old"
await 'HUP: the old one is back' logged "will not set pid=$DIR/pidfiles/u.pid while reexec-ed child is running PID:$new"
await 'with its workers' logged 'done reloading config_file'
await 'its server.pid is the .oldbin' saw "$old" "$DIR/pidfiles/u.pid.oldbin"
await 'the new one'\''s is not' saw "$new" "$DIR/pidfiles/u.pid"
kill -QUIT "$new"
await 'QUIT: the new one goes' gone "$new"
await 'said so' logged "reaped #<Process::Status: pid $new exit 0> exec\\(\\)-ed"
back() { [ "$(pid)" = "$old" ] && [ ! -e "$DIR/pidfiles/u.pid.oldbin" ]; }
await 'the pid file is the old one'\''s again' back
await 'so is its title' lives_titled "$old" '^unicorn master -D'
ok 'it serves' get /

# One that does not boot
printf 'raise "not today"\n' >"$DIR/three/config.ru"
ln -sfn three "$DIR/current"
kill -USR2 "$old"
await 'a broken release' logged 'reaped #<Process::Status: pid [0-9]+ exit 1> exec\(\)-ed'
await 'the pid file is put back' back
ok 'the old one serves' get /

# And for good
ln -sfn two "$DIR/current"
kill -USR2 "$old"
await 'USR2 once more' other "$old"
new=$(pid)
await 'is ready' logged 'master process ready' 3
kill -QUIT "$old"
await 'QUIT: the old one goes' gone "$old"
await 'with its .oldbin' [ ! -e "$DIR/pidfiles/u.pid.oldbin" ]
is 'the pid file stays' "$(pid)" "$new"
MASTER=$new
await 'the second release serves' is_serving two
like 'with what before_exec has put' "$(get /)" '^two [0-9]+ file x fds=[0-9]+,[0-9]+$'
like 'at the port as well' "$(curl -sS --max-time 15 "http://127.0.0.1:$port/")" '^two'
kill -TERM "$LOADER"
wait "$LOADER"
is 'no request was lost in all of this' "$?" 0
LOADER=
tail -n 1 "$DIR/load.out" | diag
ok 'stops' stop QUIT

# The deploy idiom
: >"$LOG"
rm -f "$DIR/pidfiles/u.pid"*
cat >>"$DIR/u.rb" <<'END'
before_fork do |server, worker|
  old_pid = "#{server.config[:pid]}.oldbin"
  if old_pid != server.pid && File.exist?(old_pid)
    sig = (worker.nr + 1) >= server.worker_processes ? :QUIT : :TTOU
    begin
      Process.kill(sig, File.read(old_pid).to_i)
    rescue Errno::ENOENT, Errno::ESRCH
    end
  end
end
END
ok 'starts' run_as unicorn -D -c "$DIR/u.rb"
old=$(pid)
MASTER=$old
kill -USR2 "$old"
await 'another one' other "$old"
new=$(pid)
await 'the idiom ends the old one' gone "$old"
MASTER=$new
await 'the new one is whole' count 2 workers
kill -KILL "$(worker 0)"
await 'a worker is replaced' logged 'worker=0 ready' 3
ok 'and nobody was told to go' alive "$new"
ok 'stops' stop QUIT

# pitchfork's USR2
: >"$LOG"
echo 'worker_processes 2' >"$DIR/p.rb"
cp "$DIR/two/config.ru" "$DIR"
as pitchfork "$DIR/p.rb"
kill -USR2 "$MASTER"
await 'pitchfork: it is a refork' logged 'refork to gen=1 done'
finish
