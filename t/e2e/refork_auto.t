#!/bin/sh
# refork :auto: a pool that has got warm shares again by itself, says why, what
# it cost and what it brought; one that has nothing to share is left alone.
. "$(dirname "$0")/lib.sh"
AWAIT=60

restart() {
	stop && : >"$LOG" && rm -f "$DIR/pids"
	start "$CONF"
}
ask() { # until LOADER is ended: 8 connections that spread over the workers
	"$LOAD" -c 8 -t 120 --any --close --plain --mode get --think 5 -p "$1" "$SOCK" >"$DIR/load.out" 2>&1 &
	LOADER=$!
}
reforks() { [ "$(grep -c 'refork to gen=.* done' "$LOG")" -ge "$1" ]; }

# The application writes to half of what it has loaded, once: 20 MB a worker.
warming() { # [further lines]
	conf <<END
worker_processes 4
canary_time 0.05
refork_interval 2
heap = Array.new(40) { +("x" * (1 << 20)) }
warm = 0
rack(lambda do |_env|
  heap[warm].setbyte(0, 1)
  (0...(1 << 20)).step(4096) { |i| heap[warm].setbyte(i, 121) } if warm < 20
  warm += 1 if warm < 39
  [200, { "content-type" => "text/plain" }, ["warm #{warm}\n"]]
end)
${1:-}
END
}
warming
start "$CONF"
ask /
await 'a warm pool is reforked' logged 'refork to gen=1: promoting worker=[0-3] .*auto: 4 workers hold [0-9]+ MB of their own after [0-9]+ requests each, about [0-9]+ MB to gain, [0-9]+ % warm, for about [0-9]+ ms of CPU'
await 'and all are of the next generation' generation 1 4
await 'the log says what it brought and cost' logged 'refork to gen=1 brought [1-9][0-9]+ MB .[0-9]+ %.: [0-9]+ MB before, [0-9]+ MB in the mean over [0-9]+ requests of each worker since; it cost [0-9]+ ms of CPU$'
status=$(ctl status --json)
like 'so does status' "$status" '"yield_generation": 1'
like 'in kilobytes' "$status" '"yield_kb": [1-9][0-9]{4}'
like 'and says what is missing for the next one' "$status" '"refork_auto": "[^"]+"'
ok 'no request was lost' load_stop

# Nothing to share
conf <<'END'
worker_processes 4
refork_interval 1
rack { |_env| [200, { "content-type" => "text/plain" }, ["fine\n"]] }
END
restart
ask /
await 'a tiny application would gain nothing' sh -c '"$0" -c "$1" status --json | grep -q "\"refork_auto\": \"it would bring [0-9] of 6 MB wanted"' "$REFORKCTL" "$CONF"
nok 'and is left alone' reforks 1
ok 'no request was lost' load_stop

# Off where the file says so, or the personality
warming 'refork false'
restart
unlike 'refork false is off' "$(ctl status --json)" refork_auto
like '-t says so' "$("$REFORKD" -t -c "$CONF" 2>&1)" '^refork false'
conf <<'END'
worker_processes 1
preload_app true
rack { |_env| [200, {}, ["fine\n"]] }
END
like 'unicorn knows none' "$("$REFORKD" -t -c "$CONF" --personality unicorn 2>&1)" '^refork false'
warming
like 'the native personality has it' "$("$REFORKD" -t -c "$CONF" 2>&1)" '^refork :auto'
finish
