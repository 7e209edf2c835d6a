#!/bin/sh
# Reforks and reloads, and at a random moment of each the death of any process
# but the master: SEED=N does the same again, ROUNDS=N more of it.
AWAIT=${AWAIT:-60}
. "$(dirname "$0")/lib.sh"
with_bundle t/gems/"${RACK:-rack3}"
READY='master process ready' # all workers
WORKERS=3 ROUNDS=${ROUNDS:-20} SEED=${SEED:-$$}
echo "# seed $SEED"
# An odd seed: a dead mold is replaced by promotion, else by a boot.
after=false
[ $((SEED % 2)) -eq 0 ] || after='[1000000]'
conf <<CONF
worker_processes $WORKERS
timeout 20
canary_time 0.1
refork_after $after
rack "$ROOT/t/apps/idlog.ru"
CONF
start "$CONF"

settled() { # nothing under way, all slots served by one worker each, one mold
	ctl status --json | perl -MJSON::PP -e '
		my $p = decode_json(join "", <STDIN>)->{pools}[0];
		exit !($p->{refork_stage} eq "NONE" && !$p->{refork_queued} && @{$p->{molds}} == 1 &&
			$p->{serving} == $ARGV[0] && @{$p->{slots}} == $ARGV[0])' "$WORKERS" &&
		count "$WORKERS" workers && count 1 molds
}
strike() { # ROUND: begins a refork or a reload, then kills within 200 ms
	perl -e '
		my ($master, $seed, $round) = @ARGV;
		srand $seed * 1000 + $round;
		kill +(rand() < 0.7 ? "USR2" : "HUP"), $master;
		select undef, undef, undef, rand 0.2;
		my (@all, %up);
		for (glob "/proc/[0-9]*/stat") {
			open my $f, "<", $_ or next;
			my ($pid, $state, $parent) = (<$f> // "") =~ /^(\d+) .*\) (\S) (\d+)/ or next;
			$up{$pid} = $parent if $state !~ /[ZX]/;
		}
		for my $pid (sort { $a <=> $b } keys %up) {
			my $at = $pid;
			$at = $up{$at} while $at && $at != $master;
			push @all, $pid if $at && $pid != $master;
		}
		exit !kill "KILL", $all[rand @all]' "$MASTER" "$SEED" "$1"
}

ok 'the load runs' load_start -t 170 --seed "$SEED" --allow lost=100000
round=0
while [ "$round" -lt "$ROUNDS" ]; do
	strike "$round" || { result 1 "round $round: somebody was killed"; break; }
	until_true settled || { result 1 "round $round: all settles"; break; }
	round=$((round + 1))
done
is 'after each death all was whole again' "$round" "$ROUNDS"
ok 'deaths are logged' logged 'SIGKILL' $((ROUNDS * 3 / 4))
ok 'a refork works' ctl refork
ok 'no request failed but of those killed' load_stop
nok 'nothing was out of order' logged 'no row for|breaks? the protocol|FATAL'
finish
