#!/bin/sh
# B43. Raising before_fork, after_mold_fork, after_worker_fork: logged once, exponential
# backoff (at most one spawn a second after five failures), old generation kept;
# max_consecutive_spawn_errors exits 1.
. "$(dirname "$0")/lib.sh"
with_bundle t/gems/rack3
# HOOK.raises says how many of the next calls raise.
cat >"$DIR/p.rb" <<'END'
worker_processes 2
refork_after false
canary_time 0.05
raises = proc do |name|
  file = File.join(ENV["RFK_TEST"], "#{name}.raises")
  left = File.open(file, "r+") do |io|
    io.flock(File::LOCK_EX)
    io.read.to_i.tap { |n| io.rewind && io.write("#{[n - 1, 0].max}  ") }
  end
  raise "in #{name}, #{left} left" if left > 0
end
before_fork { |server| raises.call(:before_fork) }
after_mold_fork { |server, mold| raises.call(:after_mold_fork) }
after_worker_fork { |server, worker| raises.call(:after_worker_fork) }
END
limited() { # N
	{ echo "max_consecutive_spawn_errors $1"; echo "pid '$DIR/pid'"; cat "$DIR/p.rb"; } >"$DIR/limited.rb"
}
# /hold answers once it may: a request under way while the server stops.
cat >"$DIR/config.ru" <<'END'
run lambda { |env|
  dir = ENV["RFK_TEST"]
  if env["PATH_INFO"] == "/hold"
    File.write("#{dir}/holding", "#{Process.pid}\n")
    sleep 0.01 until File.exist?("#{dir}/let")
  end
  [200, { "content-type" => "text/plain" }, ["fine #{Process.pid}\n"]]
}
END
begin() { : >"$LOG"; RACK_ENV=none as pitchfork "$DIR/$1.rb" "$DIR/config.ru"; }
whole() { count 2 workers && body / fine; }
raising() { echo "$2" >"$DIR/$1.raises"; } # HOOK TIMES
spent_and_whole() { [ "$(cat "$DIR/$1.raises")" = '0  ' ] && whole; }
# One that has served: its end is no failure, so that the next one comes at once.
kills_one() { kill -KILL "$(get / | sed -n 's/fine //p')"; }
for hook in before_fork after_mold_fork after_worker_fork; do raising "$hook" 0; done
ends() { # NAME: by itself, with 1
	until_true gone "$MASTER"
	wait "$MASTER"
	is "$1: exit 1" $? 1
	MASTER=
	await "$1: nothing is left" all_gone
	ok "$1: nor its pid file" [ ! -e "$DIR/pid" ]
	ok "$1: nobody listens" [ "$(code /)" = 000 ]
}
fatal() { logged "FATAL .*$1 consecutive failures to spawn children, aborting - broken after_worker_fork callback\?"; }

# From the first start on: how long each waits, and which is the last.
RACK_ENV=none
export RACK_ENV
for hook in before_fork after_worker_fork; do
	n=5
	[ "$hook" = before_fork ] || n=3
	limited "$n"
	: >"$LOG"
	raising "$hook" 100
	as_was=$REFORKD
	REFORKD=$DIR/bin/pitchfork
	spawn "$DIR/limited.rb" "$DIR/config.ru"
	REFORKD=$as_was
	until_true logged 'gen=0 spawning'
	remember
	ends "$hook raises from the first on"
	ok "$hook: the line says how many, where and which limit" fatal $((n + 1))
	ok "$hook: and whose it is" logged "FATAL .*\(.*limited.rb:1: max_consecutive_spawn_errors $n\)"
	is "$hook: so many were tried" "$(grep -c 'worker=[01] gen=0 spawning' "$LOG")" $((n + 1))
	is "$hook: each raise is logged once" "$(grep -Ec "ERROR .*\]: $hook: in $hook, [0-9]+ left" "$LOG")" $((n + 1))
	ok "$hook: with its place" logged '\]: .*limited.rb:[0-9]+:in ' $((n + 1))
	ok "$hook: status 1 is said" logged 'monitor complete status=1'
	# Two workers at once may fail first: the waits behind them are those of a third.
	is "$hook: each waits longer, and after five at least a second" "$(
		sed -n 's/^.*T\([0-9]*\):\([0-9]*\):\([0-9.]*\) .*gen=0 spawning.*/\1 \2 \3/p' "$LOG" | perl -ne '
			my ($h, $m, $s) = split;
			push @at, $h * 3600 + $m * 60 + $s;
			END {
				my @least = (0, 0, 0.24, 0.49, 0.99);
				for (0 .. $#at - 1) {
					my $gap = $at[$_ + 1] - $at[$_];
					$gap += 86400 if $gap < 0;
					print $gap >= $least[$_] ? "." : " $gap ";
				}
			}')" "$(printf "%.${n}s" .....)"
	raising "$hook" 0
done

# A server that serves: N in a row are borne, and what is READY ends the row.
limited 2
begin limited
await 'serves' whole
for n in 1 2; do
	raising after_worker_fork 2
	kills_one
	await "two failures, $n: the next one serves" spent_and_whole after_worker_fork
done
get /hold >"$DIR/held" &
holder=$!
await 'a request is under way' [ -s "$DIR/holding" ]
raising after_worker_fork 3
remember
kills_one
await 'three: it ends' fatal 3
ok 'the request may go on' alive "$(cat "$DIR/holding")"
: >"$DIR/let"
wait "$holder"
like 'and has its answer' "$(cat "$DIR/held")" 'fine'
ends 'three failures'

# A candidate is a start, too. Without a limit all of them may fail.
begin limited
await 'serves again' whole
remember
raising after_mold_fork 3
for n in 1 2; do
	kill -USR2 "$MASTER"
	await "candidate $n fails: the old generation is kept" logged 'refork to gen=1 failed: .*; gen=0 goes on' "$n"
done
ok 'and serves' whole
kill -USR2 "$MASTER"
ends 'the third candidate fails'
ok 'for that' fatal 3
begin p
await 'without a limit: serves' whole
for hook in after_mold_fork after_worker_fork; do
	raising "$hook" 1
	nok "$hook raises: no refork" ctl refork
	ok "$hook: it is logged" logged "\]: $hook: in $hook, 1 left"
	ok "$hook: the old generation is kept, and serves" whole
done
raising before_fork 100
ctl refork --no-wait >/dev/null
await 'before_fork raises in every donor: that is logged' logged '\]: before_fork: in before_fork, 9[0-9] left' 2
ok 'the old generation is kept, and serves' whole
raising before_fork 0
await 'and a donor is asked again' logged 'refork to gen=[0-9]+ done'
raising after_worker_fork 3
kills_one
await 'three failures without a limit' spent_and_whole after_worker_fork
nok 'are no end' logged FATAL
finish
