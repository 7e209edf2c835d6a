# strike.sh - t/e2e/strike under load, for the tests that survive it.
#
#   server SETTINGS          starts one of $WORKERS workers
#   event NAME [LOAD ARGS]   a row of t/e2e/strike: TIMES proven strikes, and
#                            only what the struck ones held is lost
#
# SEED=N strikes at the same moments again, TIMES=N so often, EVENTS='a busy
# worker' only that.
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
