#!/bin/sh
# What the master survives, and what its own death leaves: nothing.
. "$(dirname "$0")/lib.sh"
with_bundle t/gems/"${RACK:-rack3}"
READY='master process ready' # all workers
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
no_strays() { [ -z "$(strays)" ]; }
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

# The master dies: nobody is left to say so to, yet all go. An idle client of an
# idle worker holds nobody.
orphans() { "${RUBY:-ruby}" -W0 "$ROOT/t/e2e/orphan" "$MASTER" "$@" >"$DIR/orphans"; }
late() { grep -E '^(-|[0-9]{4,}) ' "$DIR/orphans"; } # lived for a second or more
slowest() { echo "# the last of $(wc -l <"$DIR/orphans") idle ones, in ms: $(tail -n 1 "$DIR/orphans")"; }
rm -f "$DIR/held" "$DIR/kept"
get /held >/dev/null 2>&1 &
getter=$!
until_true [ -e "$DIR/held" ]
perl -MIO::Socket::UNIX -e '$| = 1; my $s = IO::Socket::UNIX->new($ENV{SOCK}) or die;
	print $s "GET / HTTP/1.1\r\nHost: x\r\n\r\n"; $s->flush; <$s>;
	open my $f, ">", "$ENV{DIR}/kept"; 1 while sysread $s, my $b, 999' &
keeper=$!
until_true [ -e "$DIR/kept" ]
remember
orphans
is 'its idle processes go within a second' "$(late | grep -v " $(cat "$DIR/held") ")" ''
grep -v " $(cat "$DIR/held") " "$DIR/orphans" >"$DIR/idle" && mv "$DIR/idle" "$DIR/orphans" && slowest
await 'the busy one at its timeout' all_gone
wait "$MASTER" "$getter" "$keeper" 2>/dev/null
MASTER=

# At random moments of a refork and of a reload, too: SEED=N, TIMES=N.
SEED=${SEED:-$$} TIMES=${TIMES:-20}
echo "# seed $SEED"
round=0 hits=0
while [ "$hits" -lt "$TIMES" ] && [ $round -lt $((TIMES * 2)) ]; do
	round=$((round + 1))
	: >"$LOG"
	rm -f "$SOCK"
	spawn "$CONF"
	until_true serving || { result 1 "round $round: starts"; break; }
	event=USR2
	[ $((round % 2)) = 0 ] || event=HUP
	SEED=$((SEED + round)) orphans $event 0.25
	wait "$MASTER" 2>/dev/null
	MASTER=
	late >"$DIR/said" && { result 1 "round $round, $event: all have gone within a second"; break; }
	until_true no_strays || { result 1 "round $round, $event: nobody is left"; break; }
	# Its stage: begun, and not done.
	! logged 'promoting|reloading' || logged 'to gen=1 done' || hits=$((hits + 1))
done
is 'killed in the middle of a refork or reload, so often' "$hits" "$TIMES"
slowest
finish
