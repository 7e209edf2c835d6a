#!/bin/sh
# A full stop under load: no connection is reset. Each is answered, or finds
# nobody to connect to. STOPS=N for more of them.
. "$(dirname "$0")/lib.sh"
with_bundle t/gems/"${RACK:-rack3}"
STOPS=${STOPS:-2}
export PORT=$(free_port)
conf <<CONF
worker_processes 3
timeout 20
listen ENV.fetch("SOCK")
listen "127.0.0.1:$PORT"
rack "$ROOT/t/apps/idlog.ru"
CONF
went() { until_true gone "$MASTER" && wait "$MASTER"; }

stop_under() { # NAME SIGNAL TARGET LOAD-OPTIONS
	name=$1 signal=$2 target=$3
	shift 3
	i=0
	while [ $i -lt "$STOPS" ]; do
		i=$((i + 1))
		rm -f "$DIR/ready" "$DIR/pids" "$LOAD_IDS"
		: >"$LOG"
		spawn "$CONF"
		until_true ready_or_dead
		serving || diag <"$LOG"
		"$LOAD" --ids "$LOAD_IDS" -t 60 --until-refused --ready-file "$DIR/ready" \
			--ready-after $((100 + i * 37)) "$@" "$target" >"$DIR/load.out" 2>&1 &
		LOADER=$!
		until_true [ -e "$DIR/ready" ]
		remember
		kill -"$signal" "$MASTER"
		ok "$name, $signal, stop $i" load_wait
		ok 'it has gone' went
		MASTER=
		ok 'with all of its processes' until_true all_gone
	done
}
for signal in TERM QUIT; do
	for target in "127.0.0.1:$PORT" "$SOCK"; do
		case $target in /*) name=UNIX ;; *) name=TCP ;; esac
		stop_under "$name, a connection per request" $signal "$target" \
			-c 32 --close --plain --mode get
		stop_under "$name, half of them kept" $signal "$target" -c 32 --plain
	done
done
finish
