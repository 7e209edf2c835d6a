#!/bin/sh
# kill -9 and SIGSTOP at the worst moments, each by its REFORKD_FAULT: the
# service goes on, the slot is refilled, the counts are right again. Random ones
# under load are survive_strike.t's.
AWAIT=${AWAIT:-60}
. "$(dirname "$0")/lib.sh"
with_bundle t/gems/"${RACK:-rack3}"
READY='master process ready' # all workers
WORKERS=3

json() { # PERL expression over $p, the pool
	ctl status --json | perl -MJSON::PP -e '
		my $p = decode_json(join "", <STDIN>)->{pools}[0]; print eval $ARGV[0], "\n"' -- "$1"
}
whole() { # every slot has one worker that serves, and the pool has a mold
	[ "$(json 'join " ", $p->{serving}, scalar @{$p->{slots}}, scalar @{$p->{molds}},
		scalar(grep { $_->{state} eq "SERVING" } @{$p->{slots}})')" = \
		"$WORKERS $WORKERS 1 $WORKERS" ] && count "$WORKERS" workers && count 1 molds
}
died() { # ERE: what the log says of the killed
	until_true logged "$1"
}

# One server for each fault, armed late: EVENT begins what it lies in.
fault() { # NAME FAULT EVENT DIED: a fault of REFORKD_FAULT
	rm -f "$DIR/armed"
	: >"$LOG"
	REFORKD_FAULT=$2 REFORKD_FAULT_FILE=$DIR/armed
	export REFORKD_FAULT REFORKD_FAULT_FILE
	spawn "$CONF"
	unset REFORKD_FAULT REFORKD_FAULT_FILE
	until_true serving || { result 1 "$1: starts"; finish; }
	: >"$DIR/armed"
	eval "$3"
	await "$1: it was hit" logged "fault: [a-z]+ at ${2%%:*}"
	await "$1: the log says so" logged "$4"
	await "$1: all is whole again" whole
	ok "$1: and serves" body / 'no id'
	ok "$1: a refork works" ctl refork
	stop || result 1 "$1: stops"
}

conf <<CONF
worker_processes $WORKERS
timeout 20
canary_time 0.1
refork_after false
rack "$ROOT/t/apps/idlog.ru"
CONF
refork='kill -USR2 $MASTER'
fault 'a newborn before SPAWNED' before_spawned:kill 'kill -KILL "$(worker 1)"' 'worker=1 .*SIGKILL'
fault 'a newborn before READY, its status from the mold' before_worker_ready:kill,getinfo 'kill -KILL "$(worker 1)"' 'worker=1 .*SIGKILL'
fault 'a mold between fork and SPAWNED' mold_forked:kill 'kill -KILL "$(worker 1)"' 'mold gen=0 .*SIGKILL'
fault 'a mold before DIED' mold_before_died:kill 'kill -KILL "$(worker 1)"' 'mold gen=0 .*SIGKILL'
fault 'the donor' promote:kill "$refork" 'worker=[0-9] .*SIGKILL'
fault 'the process between' promote_middle:kill "$refork" 'the process between died'
fault 'the process between, after its fork' before_promoted:kill "$refork" 'the process between died'
fault 'a candidate after its fork' candidate_born:kill "$refork" 'mold gen=1 .*SIGKILL'
fault 'a candidate before READY' candidate_ready:kill "$refork" 'refork to gen=1 failed'
fault 'the canary' before_worker_ready:kill@1 "$refork" 'refork to gen=1 failed.*canary'
fault 'a booting mold' mold_booting:kill 'kill -HUP $MASTER' 'reload to gen=1 failed'

# Stopped instead of killed: each stage has its deadline.
sed -i 's/^timeout 20/&\nspawn_timeout 2/' "$CONF"
fault 'a newborn that hangs' before_worker_ready:stop 'kill -KILL "$(worker 1)"' 'worker=1 .*not ready within'
fault 'a mold that hangs' mold_forked:stop 'kill -KILL "$(worker 1)"' 'no answer to FORK'
fault 'a donor that hangs' promote:stop "$refork" 'no answer to a promotion'
fault 'a candidate that hangs' candidate_born:stop "$refork" 'refork to gen=1 failed'
fault 'a canary that hangs' before_worker_ready:stop@1 "$refork" 'refork to gen=1 failed.*canary'
fault 'a fork that fails' fork:fail 'kill -KILL "$(worker 1)"' 'not spawned'
sed -i '/^spawn_timeout/d' "$CONF"
finish
