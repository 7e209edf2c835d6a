#!/bin/sh
# examples/jobs: Resque's jobs through reforks, a killed worker and a stop; each
# is done, and each once but the one that was cut off.
. "$(dirname "$0")/lib.sh"
with_bundle examples/jobs
# The tools have the server in them, and start none by themselves.
ln -s "$(command -v redis-server || command -v redis-check-rdb)" "$DIR/redis-server"
export REDIS_URL=unix://$DIR/redis.sock
mkdir "$DIR/redis"
"$DIR/redis-server" --port 0 --unixsocket "$DIR/redis.sock" --save '' --dir "$DIR/redis" >"$DIR/redis.log" 2>&1 </dev/null &
REDIS=$!
redis() { redis-cli -s "$DIR/redis.sock" "$@"; }
answers() { [ "$(redis ping)" = PONG ]; }
enqueue() { "${RUBY:-ruby}" "$ROOT/examples/jobs/enqueue.rb" "$@"; }
greeted() { echo "greeted $(redis llen resque:greeted)" && [ "$(redis llen resque:greeted)" -eq "$1" ]; }
working() { redis keys 'resque:worker:*:default' | cut -d: -f4; } # their pids
at_work() { [ -n "$(working)" ]; }
kinds() { redis lrange resque:failed 0 -1 | grep -o 'exception":"[^"]*' | cut -d'"' -f3; }
twice() { redis lrange resque:greeted 0 -1 | sort | uniq -d; }
waiting() { redis llen resque:queue:default; }

await 'Redis answers' answers
ok 'jobs are queued' enqueue 1 250
start "$ROOT/examples/jobs/app.conf"
await 'all are done' greeted 250
await 'they were enough for a refork' logged 'refork to gen=1 done'
is 'none failed' "$(redis llen resque:failed)" 0

# A worker is killed in the midst of a job
ok 'a long one' enqueue 251 251 1.5
await 'is begun' at_work
kill -KILL "$(working)"
await 'its worker is killed: it failed' logged 'ended \(SIGKILL'
await 'and is done again' greeted 251
is 'the failure is in the list' "$(kinds)" Resque::DirtyExit

# Reforked and stopped while there is work
ok 'many jobs' enqueue 252 551 0.01
ok 'a refork between them' ctl refork
await 'the next generation works on' logged 'gen=2 .* ready'
ok 'a stop' stop
is 'no job is left half done' "$(working)" ''
is 'each was done or waits' $(($(redis llen resque:greeted) + $(waiting))) 551
: >"$LOG"
start "$ROOT/examples/jobs/app.conf"
await 'started again, all are done' greeted 551
is 'each of them once' "$(twice)" ''
is 'nobody is registered who has gone' "$(redis scard resque:workers)" 2
ok 'stops' stop
is 'and then nobody is' "$(redis scard resque:workers)" 0
kill -TERM "$REDIS"
finish
