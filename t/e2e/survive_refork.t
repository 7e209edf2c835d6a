#!/bin/sh
# Under load, from 64 connections, no request fails while the workers are
# reforked, reloaded, made more and fewer, and their log is rotated.
. "$(dirname "$0")/lib.sh"
with_bundle t/gems/"${RACK:-rack3}"
REFORKS=${REFORKS:-20}
conf <<CONF
worker_processes 3
timeout 20
stderr_path "$LOG"
stdout_path "$LOG"
canary_time 0.2
rack "$ROOT/t/apps/idlog.ru"
CONF
start "$CONF"

# The old log is kept beside the new one, and both are searched.
said() { [ "$(cat "$LOG".[0-9]* "$LOG" 2>/dev/null | grep -Ec -- "$1")" -ge "${2:-1}" ]; }
nr=0
event() { # NAME COUNT CMD...: COUNT times, each time CMD's generation is awaited
	event_name=$1 event_left=$2
	shift 2
	while [ "$event_left" -gt 0 ]; do
		"$@" || return 1
		event_left=$((event_left - 1))
	done
	result 0 "$event_name"
}
refork() {
	nr=$((nr + 1))
	kill -USR2 "$MASTER"
	until_true said "refork to gen=$nr done" || { result 1 "refork to $nr"; return 1; }
}
reload() {
	nr=$((nr + 1))
	kill -HUP "$MASTER"
	until_true said "reload to gen=$nr done" || { result 1 "reload to $nr"; return 1; }
}
scale() {
	kill -TTIN "$MASTER"
	until_true count 4 workers || { result 1 'one more'; return 1; }
	kill -TTOU "$MASTER"
	until_true count 3 workers || { result 1 'one less'; return 1; }
}
rotated=0
fresh_log() { grep -q 'done reopening' "$LOG" && [ "$(held)" -eq 0 ]; }
held() { # how many processes still have the old file
	for held_pid in $(pids .); do
		find "/proc/$held_pid/fd" -lname "$LOG.$rotated" 2>/dev/null
	done | wc -l
}
rotate() {
	rotated=$((rotated + 1))
	mv "$LOG" "$LOG.$rotated"
	kill -USR1 "$MASTER"
	until_true fresh_log || { result 1 'every process has the new log'; return 1; }
}

ok 'the load runs' load_start -t 120
event "$REFORKS reforks by USR2" "$REFORKS" refork
event '3 reloads by HUP' 3 reload
event '5 times TTIN and TTOU' 5 scale
event '5 rotations by USR1' 5 rotate
ok 'no request failed' load_stop
await 'all are of the last generation' generation "$nr" 3
is 'no worker was killed' "$(cat "$LOG".[0-9]* "$LOG" | grep -Ec 'SIGKILL|app error|FATAL')" 0
cat "$LOG".[0-9]* "$LOG" >"$DIR/all" && LOG=$DIR/all
finish
