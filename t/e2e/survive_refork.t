#!/bin/sh
# Under load, from 64 connections, no request fails while the workers are
# reforked, and each of the other signals comes at random moments of a refork,
# 20 times proven by the log. SEED=N, TIMES=N and EVENTS as in survive_strike.t.
AWAIT=${AWAIT:-60}
. "$(dirname "$0")/lib.sh"
with_bundle t/gems/"${RACK:-rack3}"
READY='master process ready' # all workers
. "$ROOT/t/e2e/strike.sh"
WORKERS=3
export REFORKD_FAULT=candidate_ready:wait=80,before_worker_ready:wait=60
server "timeout 20; stderr_path '$LOG'; stdout_path '$LOG'"
event 'a second refork'
event 'HUP'
event 'TTIN and TTOU'
event 'USR1'
is 'no worker was killed' "$(cat "$LOG".[0-9]* "$LOG" | grep -Ec 'SIGKILL|app error|FATAL')" 0
await 'there are as many workers as were' count 3 workers
cat "$LOG".[0-9]* "$LOG" >"$DIR/all" 2>/dev/null && LOG=$DIR/all
finish
