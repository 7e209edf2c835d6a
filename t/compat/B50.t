#!/bin/sh
# B50. USR2 and HUP during a promotion, TERM during a promotion, TTOU during a
# rollout: a consistent end.
. "$(dirname "$0")/lib.sh"
with_bundle t/gems/rack3
cat >"$DIR/p.rb" <<'END'
worker_processes 3
refork_after false
refork_candidates 1
spawn_timeout 60
after_mold_fork do |server, mold|
  next if mold.generation.zero? || !File.exist?(hold = File.join(ENV["RFK_TEST"], "hold"))
  warn "mold #{mold.generation} waits"
  File.read(hold)
end
after_worker_fork do |server, worker|
  fifo = File.join(ENV["RFK_TEST"], "hold_worker")
  next unless worker.generation > 0 && worker.nr == 1 && File.exist?(fifo)
  warn "worker #{worker.nr} waits"
  File.read(fifo)
end
END
echo 'run ->(env) { [200, { "content-type" => "text/plain" }, ["#{Process.pid}\n"]] }' >"$DIR/config.ru"
holds_at() { mkfifo "$DIR/$1"; }
lets_go() { exec 4>"$DIR/$1"; rm "$DIR/$1"; exec 4>&-; }
waits() { logged "^mold $1 waits"; }
begin() { RACK_ENV=none as pitchfork "$DIR/p.rb" "$DIR/config.ru"; await 'three workers' generation 0 3; }

# USR2 and HUP while a candidate prepares
begin
holds_at hold
kill -USR2 "$MASTER"
await 'a promotion is under way' waits 1
kill -USR2 "$MASTER"
await 'a second USR2 is queued, and said so' logged 'refork is queued behind the refork under way'
kill -HUP "$MASTER"
await 'so is HUP: newer code wins' logged 'reload is queued behind the refork under way'
ok 'requests are served meanwhile' get /
lets_go hold
await 'the promotion ends' logged 'refork to gen=1 done'
await 'then the reload' logged 'reload to gen=2 done'
await 'all workers are of its generation' generation 2 3
ok 'with one mold' count 1 molds
is 'nothing more is queued' "$(ctl status | grep -c '^now')" 0

# TTOU, which takes worker 2, during a rollout; whichever is the canary, worker 1 waits
holds_at hold_worker
kill -USR2 "$MASTER"
await 'a rollout is under way' logged '^worker 1 waits'
kill -TTOU "$MASTER"
await 'one worker less is wanted' logged 'workers: 3 -> 2'
lets_go hold_worker
await 'the rollout ends' logged 'refork to gen=3 done'
await 'with two workers, all of the new generation' generation 3 2
await 'and one mold' count 1 molds

# TTOU takes the canary itself: with two workers it is never the donor's slot, which
# is 0. First while it boots, then while it is READY and has not served.
holds_at hold_worker
: >"$LOG"
kill -USR2 "$MASTER"
await 'the canary boots' logged '^worker 1 waits'
kill -TTOU "$MASTER"
await 'it is not wanted any more' logged 'the canary worker=1 gen=4 is not wanted any more'
await 'the refork goes on with another' logged 'refork to gen=4 done'
nok 'it has not failed' logged 'failed'
lets_go hold_worker
await 'one worker, of the new generation' generation 4 1
await 'one mold' count 1 molds
kill -TTIN "$MASTER"
await 'two workers' generation 4 2

# TERM while a candidate prepares
holds_at hold
kill -USR2 "$MASTER"
await 'another promotion is under way' waits 5
remember
kill -TERM "$MASTER"
until_true gone "$MASTER"
wait "$MASTER"
is 'TERM ends it, with 0' $? 0
MASTER=
await 'and nothing is left, the candidate neither' all_gone

rm -f "$DIR/hold"
{ echo 'canary_time 600'; sed 's/^worker_processes 3/worker_processes 2/' "$DIR/p.rb"; } >"$DIR/p2.rb"
mv "$DIR/p2.rb" "$DIR/p.rb"
: >"$LOG"
RACK_ENV=none as pitchfork "$DIR/p.rb" "$DIR/config.ru"
await 'two workers' generation 0 2
kill -USR2 "$MASTER"
await 'the canary is READY' logged 'worker=1 gen=1 .* ready'
kill -TTOU "$MASTER"
await 'then it is not wanted' logged 'the canary worker=1 gen=1 is not wanted any more'
await 'another one is READY' logged 'worker=0 gen=1 .* ready'
ok 'it serves' get /
await 'and the refork is done' logged 'refork to gen=1 done'
await 'with one worker' generation 1 1
finish
