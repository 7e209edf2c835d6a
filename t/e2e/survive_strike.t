#!/bin/sh
# Under load each process is struck at least 20 times at random moments of a
# refork, each time proven by the log, and nothing is lost but what the struck
# one held. SEED=N strikes at the same moments, TIMES=N so often,
# EVENTS='a busy worker' only that.
AWAIT=${AWAIT:-60}
. "$(dirname "$0")/lib.sh"
with_bundle t/gems/"${RACK:-rack3}"
READY='master process ready' # all workers
. "$ROOT/t/e2e/strike.sh"

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
