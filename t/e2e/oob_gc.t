#!/bin/sh
# Garbage collection between requests: none inside, what the application does
# with GC itself, the leash, and the ways of others.
. "$(dirname "$0")/lib.sh"

serve() { # PATH N requests, one connection each
	serve_n=0
	while [ "$serve_n" -lt "$2" ]; do
		body "$1" 'ok' || return 1
		serve_n=$((serve_n + 1))
	done
}
figure() { # NAME: of worker 0
	ctl status --json | perl -0777 -ne 'print $1 if /"'"$1"'": (\d+)/'
}
at_least() { [ "$(figure "$1")" -ge "$2" ]; }
many() { # PATH N: on one connection; how many said what
	perl -MIO::Socket::UNIX - "$SOCK" "$1" "$2" <<'END'
	my ($sock, $path, $n) = @ARGV;
	my $s = IO::Socket::UNIX->new($sock) or die "$sock: $!\n";
	my %said;
	alarm(15);
	while ($n-- > 0) {
		my ($answer, $word) = "";
		syswrite($s, "GET $path HTTP/1.1\r\nHost: x\r\n\r\n");
		until (($word) = $answer =~ /ok (\w*)\n/) {
			sysread($s, $answer, 65536, length $answer) or die "closed: $answer\n";
		}
		$said{$word}++;
	}
	print map { "$_ $said{$_}\n" } sort keys %said;
END
}
exactly() { [ "$(figure "$1")" -eq "$2" ]; }
restart() {
	stop && : >"$LOG" && rm -f "$DIR/pids"
	start "$CONF" "$@"
}

app() {
	cat >"$DIR/app.rb" <<'END'
	APP = lambda do |env|
	  case env["PATH_INFO"]
	  when "/garbage" then 20_000.times { |i| "garbage #{i}" }
	  when "/mine" then GC.start
	  when "/off" then said = GC.disable
	  when "/on" then said = GC.enable
	  when "/compact" then said = GC.respond_to?(:compact) && !GC.compact.nil?
	  when "/stress" then said = [GC.stress, GC.stress = true].inspect
	  when "/stressed"
	    before = GC.count
	    100.times { |i| "a string of its own #{i}" }
	    said = GC.stress && GC.count - before >= 50
	  when "/calm" then said = [GC.stress, GC.stress = false].inspect
	  when "/small"
	    20.times { |i| "small #{i}" }
	    said = GC.latest_gc_info(:state)
	  when "/child"
	    r, w = IO.pipe
	    Process.wait(fork { before = GC.count; 500_000.times { |i| "x#{i}" }; w.write(GC.count > before); exit!(0) })
	    w.close
	    said = r.read
	  when "/big"
	    before = GC.count
	    until GC.count > before || (said = (said || 0) + 1) > 3000
	      10_000.times { |i| "a string that needs memory of its own, number #{i}" }
	    end
	    said = GC.count > before
	  end
	  [200, { "content-type" => "text/plain" }, ["ok #{said}\n"]]
	end
END
}
app

conf <<END
worker_processes 1
require "$DIR/app"
oob_gc true
rack APP
END
start "$CONF" -d
ok 'requests make garbage' serve /garbage 40
await 'which is collected between them' at_least gc_hits 2
ok 'and never inside' exactly gc_misses 0
await 'that took time outside' at_least gc_outside_us 1
ok 'the table has hits and misses, and what they saved' matches "$(ctl status)" ' [0-9]+:0 [0-9]+ms '
ok 'each has its line' logged 'oob_gc: hit worker=0 requests=[0-9]+ reason=(room|malloc|budget|nursery) pool=[0-9] used=[0-9]+% allocated=[0-9]+ KB nursery=[0-9]+ KB kind=(minor|major by [a-z]+) cpu=[0-9]+ us' 2
ok 'those that found the room unused are counted' [ "$(figure gc_waste)" -le "$(figure gc_hits)" ]
saved_or_wasted() { [ "$(figure gc_waste)" -eq "$(figure gc_hits)" ] || [ "$(figure gc_saved_us)" -gt 0 ]; }
await 'the others have saved time' saved_or_wasted

ok 'the application collects itself' serve /mine 3
ok 'which is no miss' exactly gc_misses 0
ok 'it compacts its heap' body /compact 'ok true'
ok 'which is none either' exactly gc_misses 0
hits=$(figure gc_hits)
ok 'requests go on' serve /garbage 20
await 'and what they leave is collected' at_least gc_hits $((hits + 1))
ok 'GC.stress says that it was off' body /stress 'ok \[false, true\]'
ok 'and stays on from one request to the next' body /stressed 'ok true'
ok 'that the application wants no collection less is no miss' exactly gc_misses 0
ok 'until it is turned off' body /calm 'ok \[true, false\]'
ok 'and off it is' body /stressed 'ok false'
ok 'GC.disable says that it was on' body /off 'ok false'
ok 'then that it was off' body /off 'ok true'
hits=$(figure gc_hits)
ok 'garbage is made while it is off' serve /garbage 20
is 'nothing is collected for who has turned it off' "$(figure gc_hits)" "$hits"
ok 'GC.enable says that it was off' body /on 'ok true'
ok 'then that it was on' body /on 'ok false'
ok 'more garbage' serve /garbage 40
await 'is collected again' at_least gc_hits $((hits + 1))
ok 'a child that a request forks has its collector' body /child 'ok true'
ok 'a request that makes too much meets the collector' body /big 'ok true'
await 'since the leash was let go' at_least gc_leash_pulls 1
await 'a miss has its line, and its cause' logged 'oob_gc: miss worker=0 request=[0-9]+ by=(newobj|malloc) kind=(minor|major) cpu=[0-9]+ us'

hits=$(figure gc_hits)
like 'where requests are small and many, they sweep' "$(many /small 4000)" 'sweeping [0-9]'
ok 'after a marking of ours' at_least gc_hits $((hits + 1))
await 'nobody comes, and it is swept to the end' body /small 'ok none'

conf <<END
worker_processes 1
require "$DIR/app"
oob_gc false
rack APP
END
restart
ok 'without it' serve /garbage 60
ok 'nothing is collected between requests' exactly gc_hits 0
await 'but inside' at_least gc_misses 1

conf <<END
worker_processes 1
require "$DIR/app"
oob_gc every: 5
rack APP
END
restart
ok 'every fifth request' serve /garbage 10
await 'is followed by a collection' exactly gc_hits 2

conf <<END
worker_processes 1
require "$DIR/app"
oob_gc :discourse
rack APP
END
restart -d
ok "Discourse's rule" serve /garbage 60
await 'says hit or miss as it did' logged 'OobGC (hit pid: [0-9]+ req: [0-9]+ max delta: [0-9]+ expect at: [0-9]+ [0-9]+ms saved|miss pid: [0-9]+ reqs: [0-9]+ max delta: [0-9]+)'
finish
