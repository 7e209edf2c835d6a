#!/bin/sh
# What the master survives, and what its own death leaves: nothing.
. "$(dirname "$0")/lib.sh"
with_bundle t/gems/"${RACK:-rack3}"
conf <<CONF
worker_processes 3
timeout 2
canary_time 0.1
refork_after false
rack do |env|
  case env["PATH_INFO"]
  when "/held"
    File.write("$DIR/held.new", Process.pid.to_s)
    File.rename("$DIR/held.new", "$DIR/held")
    sleep
  else [200, { "content-type" => "text/plain" }, ["#{Process.pid}\n"]]
  end
end
CONF
start "$CONF"

# A worker that is stopped, not dead: found by its silence, then replaced.
victim=$(worker 1)
kill -STOP "$victim"
await 'a stopped idle worker is killed' gone "$victim"
ok 'and the log says why' logged "worker=1 gen=0 pid=$victim .*no sign of life"
await 'it is replaced' count 3 workers
get /held >/dev/null 2>&1 &
getter=$!
until_true [ -e "$DIR/held" ]
busy=$(cat "$DIR/held")
kill -STOP "$busy"
await 'a stopped busy worker is killed' gone "$busy"
ok 'and the log names its request' logged "pid=$busy timeout \(2\.[0-9]+s > 2\.000s\), killing: GET /held"
wait "$getter"
await 'it is replaced too' count 3 workers

# More signals than anybody sends.
perl -e 'my @s = qw(HUP USR1 USR2 URG TTIN TTOU CHLD WINCH TTIN TTIN);
	srand 7; for (1 .. 10_000) { kill $s[rand @s], $ARGV[0]; select undef, undef, undef, 0.001 if $_ % 50 == 0 }' "$MASTER"
ok 'the master lives after 10,000 signals' alive "$MASTER"
until_true ctl scale 3 || result 1 'the master answers'
idle() {
	ctl status --json | perl -MJSON::PP -e 'my $p = decode_json(join "", <STDIN>)->{pools}[0];
		exit !($p->{refork_stage} eq "NONE" && !$p->{refork_queued} && $p->{serving} == 3)'
}
AWAIT=30
await 'all that was asked for is done' idle
await 'with as many workers as it should have' count 3 workers
await 'one mold' count 1 molds
ok 'it serves' body / '^[0-9]'
nok 'nothing was out of order' logged 'no row for|breaks? the protocol|FATAL'

# The master dies: nobody is left to say so to, yet all go.
rm -f "$DIR/held"
get /held >/dev/null 2>&1 &
getter=$!
until_true [ -e "$DIR/held" ]
remember
idlers=$(pids "reforkd (mold|worker)" | grep -vx "$(cat "$DIR/held")")
kill -KILL "$MASTER"
idlers_gone() { for idler in $idlers; do gone "$idler" || return 1; done; }
AWAIT=3
await 'its idle processes go at once' idlers_gone
AWAIT=15
await 'the busy one at its timeout' all_gone
wait "$MASTER" "$getter" 2>/dev/null
MASTER=

# While it reforks and boots, too.
for event in USR2 HUP; do
	: >"$LOG"
	rm -f "$SOCK"
	start "$CONF"
	for round in 1 2 3; do
		kill -$event "$MASTER"
		until_true logged 'promoting|reloading' "$round"
		[ $round = 3 ] || until_true logged "to gen=$round done"
	done
	remember
	kill -KILL "$MASTER"
	await "after kill -9 during $event all go" all_gone
	ok 'even those just born' [ -z "$(strays)" ]
	wait "$MASTER" 2>/dev/null
	MASTER=
done
finish
