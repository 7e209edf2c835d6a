#!/bin/sh
# oom_score_adj: whom the kernel ends first, as the file says, for each role and
# each pool; what may not be is one line of the log, and the server runs.
. "$(dirname "$0")/lib.sh"
file() { # DIRECTIVES
	conf <<END
worker_processes 2
canary_time 0.05
$1
rack { |env| [200, {}, ["hello"]] }
END
}
score() { cat "/proc/$1/oom_score_adj"; } # PID
scores() { for scores_pid in $1; do score "$scores_pid"; done | sort -u | paste -sd' ' -; }
all_are() { # MASTER MOLD WORKERS
	all_got="$(score "$MASTER") $(scores "$(molds)") $(scores "$(workers)")"
	echo "got: $all_got, want: $*"
	[ "$all_got" = "$*" ]
}
workers_are() { [ "$(scores "$(workers)")" = "$1" ]; }
refused() { # DIRECTIVES ERE
	file "$1"
	"$REFORKD" -t -c "$CONF" >"$DIR/check" 2>&1
	like "refused: $1" "$(cat "$DIR/check")" "reforkd.conf.rb:3: $2"
}
low=$(score $$) # of the server below, whatever it may do
first=$((low + 100)) second=$((low + 200)) third=$((low + 300)) fourth=$((low + 400))

refused 'oom_score_adj' 'oom_score_adj says nothing \(oom_score_adj master: -900, mold'
refused 'oom_score_adj boss: 1' 'oom_score_adj boss: is not known \(write master:, mold:, worker:\)'
refused 'oom_score_adj worker: 1001' 'oom_score_adj worker: 1001 is no whole number from -1000 to 1000'
refused 'oom_score_adj mold: "low"' 'oom_score_adj mold: "low" is no whole number'
refused 'pool(:other) { rack { }; listen "127.0.0.1:1"; oom_score_adj master: 1 }' "oom_score_adj master: is the whole server's, not a pool's"

file "oom_score_adj master: $first, mold: $second, worker: $third
pool(:other) { rack { |env| [200, {}, []] }; listen ENV.fetch('DIR') + '/other'; oom_score_adj worker: $fourth }"
like 'reforkd -t prints it' "$("$REFORKD" -t -c "$CONF" 2>&1)" "^oom_score_adj master: $first, mold: $second, worker: $third "
start "$CONF"
await 'each role has what the file says, a pool its own' all_are "$first" "$second" "$third $fourth"
ok 'a refork' ctl refork
await 'changes nothing of it' all_are "$first" "$second" "$third $fourth"
case $(sh -c "echo $((low - 1)) >/proc/self/oom_score_adj" 2>&1) in
'') mold=$((low - 200)) master=$((low - 400)) ;;
*) mold=$((low + 100)) master=$low ;;
esac
file "oom_score_adj worker: $fourth
pool(:other) { rack { |env| [200, {}, []] }; listen ENV.fetch('DIR') + '/other' }"
ok 'another file' ctl reload
await 'is in force for all, and the rest as by default' all_are "$master" "$mold" "$fourth"

# Without the privilege, which a container may not have anyway
if command -v setpriv >/dev/null && [ "$(id -u)" = 0 ]; then
	ok 'stops' stop
	printf '#!/bin/sh\nexec setpriv --bounding-set=-sys_resource --inh-caps=-sys_resource "%s" "$@"\n' "$REFORKD" >"$DIR/plain"
	chmod +x "$DIR/plain"
	REFORKD=$DIR/plain
	: >"$LOG"
	file "oom_score_adj master: -1000, worker: $third"
	start "$CONF"
	ok 'what may not be is said' logged 'WARN .*oom_score_adj master: -1000: Permission denied \(below what it was started with takes CAP_SYS_RESOURCE.*pid=[0-9]+ keeps its own'
	nok 'once' logged 'oom_score_adj' 2
	await 'what may be is done' workers_are "$third"
	like 'and it serves' "$(get /)" hello
fi
finish
