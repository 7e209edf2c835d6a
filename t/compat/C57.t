#!/bin/sh
# C57. Who may become a mold, and on whose word: refork_candidates,
# before_promotion that ends what must not be copied or says no, after_promotion
# in the one that goes on serving. Limits are e2e/memory's, intervals unit/thrift's.
. "$(dirname "$0")/lib.sh"
said=$DIR/callbacks
conf <<CONF
worker_processes 3
canary_time 0.05
refork_after false
refork_candidates 1
say = ->(name, worker) { File.write("$said", "#{name} #{worker.nr} #{worker.pid == Process.pid}\n", mode: "a") }
begin_work = lambda do
  \$work = Queue.new
  \$thread = Thread.new { Reforkd.prevent_fork { \$work.pop } }
  Thread.pass until \$thread.stop?
end
after_worker_fork { |_server, _worker| begin_work.call }
before_promotion do |_server, worker|
  say.call(:before, worker)
  raise "not now" if File.exist?("$DIR/veto")
  \$work << :end
  \$thread.join
end
after_promotion do |_server, worker|
  say.call(:after, worker)
  begin_work.call unless \$thread.alive?
end
rack { |env| [200, { "content-type" => "text/plain" }, ["works #{\$thread.alive?}\n"]] }
CONF
start "$CONF"
told() { [ "$(tr '\n' ' ' <"$said")" = "$1" ]; }
all_work() { # whoever answers
	for nr in 1 2 3 4 5 6; do
		body / 'works true' || return 1
	done
}

touch "$DIR/veto"
kill -USR2 "$MASTER"
await 'a promotion is refused' logged 'worker=0 gen=0 .*refuses to be promoted: before_promotion: not now'
await 'having run both callbacks, as itself' grep -q 'after 0 true' "$said"
ok 'all workers are as they were' generation 0 3
ok 'and work' all_work
rm "$DIR/veto"
await 'it is asked again, and may' generation 1 3
nok 'no other one was asked' logged 'worker=[12] .*(promoting|refuses)|promoting worker=[12]'

for number in 2 3; do
	donor=$(worker 0)
	: >"$said"
	ok 'by hand' ctl refork
	await 'all are of the next generation' generation "$number" 3
	await 'the candidate ended what must not be copied, and began it again' told 'before 0 true after 0 true '
	nok 'its successor is another process' [ "$(worker 0)" = "$donor" ]
done
nok 'no other one was asked' logged 'promoting worker=[12]'
ok 'who names another one gets it' ctl refork 2
ok 'promoted' logged 'promoting worker=2 '
ok 'all work' all_work
finish
