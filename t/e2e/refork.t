#!/bin/sh
# Reforks: by count, by hand, what makes a worker unfit for one, and that many
# generations cost no more than a few.
. "$(dirname "$0")/lib.sh"

serve() { # N requests
	perl -MIO::Socket::UNIX -e 'for (1 .. $ARGV[0]) {
		my $s = IO::Socket::UNIX->new($ENV{SOCK}) or die "$!\n";
		print $s "GET / HTTP/1.0\r\n\r\n"; $s->flush; local $/; <$s> =~ m{^HTTP/1.1 200} or die "no 200\n" }' "$1"
}
reforks() { [ "$(grep -c 'refork to gen=.* done' "$LOG")" -eq "$1" ]; }
restart() {
	stop && : >"$LOG" && rm -f "$DIR/pids"
	start "$CONF" "$@"
}

# By count
conf <<'END'
worker_processes 2
canary_time 0.05
refork_after [20, 30, false]
rack { |env| [200, { "content-type" => "text/plain" }, ["pid #{Process.pid}\n"]] }
END
start "$CONF"
ok 'too few requests' serve 15
ok 'change nothing' generation 0 2
ok 'requests are answered' serve 40
await 'the first limit makes generation 1' generation 1 2
ok 'requests are answered' serve 80
await 'the second makes generation 2' generation 2 2
ok 'requests are answered' serve 200
await 'and false is the end' generation 2 2
ok 'two reforks were made' reforks 2
ok 'each says why' logged 'refork to gen=[12]: promoting .*has served [0-9]+ requests .refork_after.' 2
kill -USR2 "$MASTER"
await 'by hand it goes on' generation 3 2

# Fork safety
conf <<'END'
worker_processes 2
canary_time 0.05
rack(lambda do |env|
  case env["PATH_INFO"]
  when "/busy" then $busy ||= Thread.new { loop { 1 + 1 } }
  when "/calm" then $busy&.kill
  when "/hold"
    $held ||= Thread.new { Reforkd.prevent_fork { sleep } }
    Thread.pass until $held.stop?
  when "/drop" then $held&.kill&.join
  end
  [200, { "content-type" => "text/plain" }, ["worker #{Process.pid}\n"]]
end)
END
restart -d # each promotion is told
line=$(grep -n 1.+.1 "$CONF" | cut -d: -f1)
busy=$(get /busy | sed 's/[^0-9]//g')
slot=$(tree "^reforkd worker" | sed -n "s/^$busy reforkd worker \([0-9]*\) .*/\1/p")
ok 'asks for a worker with a busy thread' ctl refork "$slot"
ok 'which refuses' logged "worker=$slot gen=0.* refuses to be promoted: .*running"
ok 'and names the line' logged "refuses to be promoted: .*$CONF:$line"
ok 'another one was promoted' logged "worker=$((1 - slot)) has forked the candidate of gen=1"
await 'all are of the next generation' generation 1 2

ctl scale 1 >/dev/null
await 'one worker alone' count 1 workers
ok 'that holds forks back' body /hold worker
ctl refork --no-wait >/dev/null
await 'refuses' logged 'refuses to be promoted: inside Reforkd.prevent_fork at .*conf.rb:[0-9]+'
await 'is asked again' logged 'worker=. gen=1 is not promoted: inside' 3
is 'gives the same reason once' "$(grep -c 'refuses to be promoted: inside' "$LOG")" 1
ok 'and goes on serving' body /drop worker
await 'it follows' generation 2 1
await 'the end says how often it refused' logged 'promotion to gen=2 was refused [0-9]+ times by 1 workers, at last: inside'

# Many generations
conf <<'END'
worker_processes 1
canary_time 0
rack { |env| [200, { "content-type" => "text/plain" }, ["#{caller.size} frames\n"]] }
END
restart
refork_to() {
	while [ "$gen" -lt "$1" ]; do
		gen=$((gen + 1))
		ctl refork || return 1
	done
	until_true generation "$gen" 1 && until_true count 1 molds
}
fds() { find "/proc/$1/fd" -mindepth 1 2>/dev/null | wc -l; }
threads() { sed -n 's/^Threads:[^0-9]*//p' "/proc/$1/status"; }
rss() { sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$1/status"; }
stack() { sed -n '/\[stack\]/,/^Rss/s/^Rss:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$1/smaps"; }
descriptors() { echo "$(fds "$MASTER") $(fds "$(molds)") $(fds "$(worker 0)")"; }
gen=0
ok 'three generations' refork_to 3
early_frames=$(get /) # what a first request makes is there in both
early_fds=$(descriptors)
early_rss=$(rss "$(worker 0)")
early_threads=$(threads "$(worker 0)")
early_stack=$(stack "$(worker 0)")
ok 'fifty generations' refork_to 50
is 'as many frames below a request' "$(get /)" "$early_frames"
is 'no descriptor is left over' "$(descriptors)" "$early_fds"
is 'no thread either' "$(threads "$(worker 0)")" "$early_threads"
late_stack=$(stack "$(worker 0)") # two pages are not a frame for each of 47
ok "the stack is no deeper ($early_stack kB, then $late_stack)" [ "$late_stack" -le $((early_stack + 8)) ]
late_rss=$(rss "$(worker 0)")
ok "the worker is no larger ($early_rss kB, then $late_rss)" \
	[ "$late_rss" -le $((early_rss * 103 / 100)) ]
ok "the master stays small ($(rss "$MASTER") kB)" [ "$(rss "$MASTER")" -le 4096 ]
is 'three processes' "$(pids . | wc -l)" 3

# Young workers that all grow at once: each is large beside what they were, and one
# of them is the donor all the same.
conf <<'END'
worker_processes 3
canary_time 0.05
refork_after [1_000_000]
rack do |env|
  if env["PATH_INFO"] == "/grow" && $grown != Process.pid
    $grown = Process.pid
    $kept = "x" * 60_000_000
    sleep 0.05 # the others are asked meanwhile
  end
  [200, {}, ["#{Process.pid}\n"]]
end
END
restart
grown() { # every one of them
	curl -sS --no-progress-meter --parallel --parallel-immediate --max-time 15 --unix-socket "$SOCK" \
		http://localhost/grow http://localhost/grow http://localhost/grow >>"$DIR/grown" &&
		[ "$(sort -u "$DIR/grown" | wc -l)" -ge 3 ]
}
for n in $(seq 12); do
	: >"$DIR/grown"
	until_true grown || break
	for k in $(seq $((n * 3))); do ctl status >/dev/null; done # at another moment each time: figures come one after the other
	ctl refork >/dev/null 2>"$DIR/err" || { cat "$DIR/err"; break; }
done
is 'all reforks found a donor' "$n $(cat "$DIR/err")" '12 '
finish
