#!/bin/sh
# Several pools under one master: each with its mold, its workers, its limits;
# reforked, reloaded, scaled and broken by itself.
. "$(dirname "$0")/lib.sh"
app() { echo "rack { ->(env) { [200, {}, [\"$1 #{Process.pid}\n\"]] } }"; }
write() { # what the pools are
	conf <<END
worker_processes 2
canary_time 0.05
listen ENV.fetch("SOCK")
$(app top)
$1
END
}
admin() { # ANSWER [LINE]
	echo "pool(:admin) { processes 1; canary_time 0.05; listen ENV.fetch('SOCK') + '.admin'; ${2:-}"
	app "$1" && echo '}'
}
at() { curl -sS --max-time 15 --unix-socket "$SOCK$1" http://localhost/; }
answers() { matches "$(at "$1")" "^$2 [0-9]+\$"; }
status() { ctl -j status | "${RUBY:-ruby}" -rjson -e "s = JSON.parse(STDIN.read); puts($1)"; }
pool() { status "s['pools'].find { |p| p['name'] == '$1' }&.fetch('$2')"; }
pool_is() { [ "$(pool "$1" "$2")" = "$3" ]; }
both() { answers '' top && answers .admin "$1"; }
unavailable() { ! answers "$1" ..; }

write "$(admin one)"
start "$CONF"
await 'both pools answer' both one
await 'the master waits for both before it is ready' logged 'master process ready'
is 'the status has both' "$(status 's["pools"].map { |p| p["name"] }.join(" ")')" 'default admin'
is 'each with its kind' "$(pool admin kind)" rack
is 'and its listeners' "$(status 's["pools"].map { |p| p["listeners"].size }.join(" ")')" '1 1'
is 'each has a mold' "$(status 's["pools"].sum { |p| p["molds"].size }')" 2
like 'pids name the pool' "$(ctl pids)" '^[0-9]+ worker 0 admin$'

# By name
ok 'one pool is scaled' ctl scale admin 2
await 'alone' pool_is admin serving 2
is 'the other keeps its number' "$(pool default wanted)" 2
ok 'one pool reforks' ctl refork admin
is 'alone' "$(pool admin generation) $(pool default generation)" '1 0'
nok 'a pool that is not there' ctl refork nope
like 'is named' "$(ctl refork nope 2>&1)" 'there is no pool nope'
like 'statistics of one pool' "$(ctl dumpstat admin 2>&1)" "worker 0 .*pid $(status \
	's["pools"][1]["slots"][0]["pid"]')"
kill -TTIN "$MASTER"
await 'TTIN is the default pool'"'"'s' pool_is default serving 3
is 'alone' "$(pool admin wanted)" 2
kill -KILL "$(pool admin mold_pid)"
await 'a mold that dies is its pool'"'"'s' logged 'pool=admin the mold is gone'
await 'and comes again' pool_is admin mold_state READY
await 'both answer' both one
like 'deaths name the pool' "$(ctl deaths)" 'mold admin'

# The file changes
write "$(admin two)"
ok 'a reload' ctl reload
await 'reaches both' both two
await 'and takes the number of the file' pool_is admin serving 1
write "$(admin two; echo 'pool(:second) { listen ENV.fetch("SOCK") + ".second"'; app second; echo '}')"
ok 'a pool more' ctl reload
await 'is booted' answers .second second
write ''
ok 'no pool any more' ctl reload
await 'they end' logged 'pool=(admin|second) has ended' 2
await 'their listeners, too' unavailable .second
is 'the default pool is alone' "$(status 's["pools"].size')" 1
ok 'and serves' answers '' top

# What fails is the pool's own
write 'pool(:bad) { listen ENV.fetch("SOCK") + ".bad"; rack { raise "no luck" } }'
ok 'a pool that cannot boot' ctl reload
await 'is tried again' logged 'pool=bad the mold failed to boot' 2
ok 'the default pool serves' answers '' top
write 'pool(:bad) { rack { } }'
nok 'a pool without listeners refuses the reload' ctl reload
write 'pool(:bad) { timeout "x" }'
nok 'so does a mistake in one' ctl reload
ok 'with its line' logged 'reforkd.conf.rb:6: not a number: timeout'
finish
