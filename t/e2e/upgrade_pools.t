#!/bin/sh
# USR2 with several pools: the next master is given the sockets of all of them,
# loses nobody, and closes those that its file does not name any more.
. "$(dirname "$0")/../compat/lib.sh"
with_bundle t/gems/rack3
port=$(free_port)
echo 'run ->(env) { [200, { "content-type" => "text/plain" }, ["#{Process.ppid}\n"]] }' >"$DIR/config.ru"
cat >"$DIR/u.rb" <<END
timeout 10
listen "$SOCK"
pid "$DIR/pid"
pool :more do
  listen "$DIR/more.sock"
  listen "127.0.0.1:$port", queues: 2
  rack { ->(env) { [200, { "content-type" => "text/plain" }, ["more #{Process.ppid}\n"]] } }
end
END
READY='master process ready'
pid() { cat "$DIR/pid$1" 2>/dev/null; }
other() { [ -n "$(pid)" ] && [ "$(pid)" != "$1" ] && alive "$(pid)"; }
more() { SOCK=$DIR/more.sock get /; }
tcp() { curl -sS --max-time 15 "http://127.0.0.1:$port/"; }
as unicorn "$DIR/u.rb" "$DIR/config.ru"
old=$MASTER
is 'the other pool serves' "$(more)" "more $old"
"$LOAD" -c 2 -t 60 -p / --mode get --any --think 5 --ready-file "$DIR/load.ready" \
	"$DIR/more.sock" >"$DIR/load.out" 2>&1 &
LOADER=$!
await 'load begins' [ -e "$DIR/load.ready" ]
kill -USR2 "$old"
await 'USR2: another master' other "$old"
new=$(pid)
await 'is ready' logged 'master process ready' 2
for addr in "$SOCK" "$DIR/more.sock" "127.0.0.1:$port"; do
	ok "inherited $addr" logged "#$new\].*inherited addr=$addr fd=[0-9]+"
done
is 'none was bound again' "$(grep -c 'listening on addr=' "$LOG")" 4
nok 'none was in use' logged 'in use'
kill -QUIT "$old"
await 'QUIT: the old one goes' gone "$old"
MASTER=$new
is 'the next one serves' "$(more) $(tcp)" "more $new more $new"
is 'at the first pool, too' "$(get /)" "$new"
kill -TERM "$LOADER"
wait "$LOADER"
is 'no request was lost' "$?" 0
LOADER=
tail -n 1 "$DIR/load.out" | diag

sed -i '/127/d' "$DIR/u.rb"
kill -USR2 "$new"
await 'an upgrade without one of them' other "$new"
MASTER=$(pid)
await 'is ready' logged 'master process ready' 3
ok 'closes it' logged "#$MASTER\].*closing listener addr=127.0.0.1:$port: no pool names it"
kill -QUIT "$new"
await 'QUIT: the old one goes' gone "$new"
nok 'nobody listens there' tcp
is 'and serves the others' "$(more)" "more $MASTER"
finish
