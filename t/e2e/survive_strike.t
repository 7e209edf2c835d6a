#!/bin/sh
# Under load each process is struck at least 20 times at random moments of a
# refork, each time proven by the log, and nothing is lost but what the struck
# one held. SEED=N strikes at the same moments, TIMES=N so often,
# EVENTS='a busy worker' only that.
. "$(dirname "$0")/lib.sh"
with_bundle t/gems/"${RACK:-rack3}"
SEED=${SEED:-$$} TIMES=${TIMES:-20}
CONTROL=$DIR/control
export SEED TIMES WORKERS CONTROL MASTER LOG
echo "# seed $SEED"

struck() { "${RUBY:-ruby}" "$ROOT/t/e2e/strike" "$1" >"$DIR/struck"; }
lost() { sed -n '$s/.* reset \([0-9]*\) short \([0-9]*\) .*/\1 + \2/p' "$DIR/load.out"; }
no_more_than_held() {
	echo "lost $(lost), held $(cat "$DIR/held")"
	[ $(($(lost))) -le "$(cat "$DIR/held")" ]
}
event() { # NAME [what the load says differently]
	case ${EVENTS:-$1} in *"$1"*) ;; *) return 0 ;; esac
	event=$1
	shift
	ok "$event: the load runs" load_start -t 300 --seed "$SEED" --allow lost=1000000 "$@"
	ok "$event: $TIMES strikes are proven, after each all is whole" struck "$event"
	diag <"$DIR/struck"
	ok "$event: all answers are right, each id is there once" load_stop
	ok "$event: and lost is at most what it held" no_more_than_held
	nok "$event: nothing was out of order" logged 'no row for|breaks? the protocol|FATAL'
}

server() { # SETTINGS
	: >"$LOG"
	conf <<CONF
worker_processes $WORKERS
canary_time 0.2
refork_after false
control "$CONTROL"
rack "$ROOT/t/apps/idlog.ru"
$1
CONF
	start "$CONF"
}

# Each stage lasts a random time longer, so that it can be met.
REFORKD_FAULT=candidate_ready:wait=80,before_worker_ready:wait=60,mold_booting:wait=80
export REFORKD_FAULT
WORKERS=3
server 'timeout 20'
event 'a busy worker'
event 'an idle worker' --think 100
event 'an idle worker without connections' --close --think 200
event 'a candidate'
event 'the canary'
event 'a newborn'
event 'an idle mold'
event 'a booting mold'
ok 'stops' stop

# Nobody is told of a SIGSTOP: each stage has its deadline.
WORKERS=6
server 'timeout 1; spawn_timeout 2'
event 'a stopped worker'
finish
