#!/bin/sh
# What the workers say of their heaps, and the log of their collections: asked
# for, passed on, and never in anybody's way.
. "$(dirname "$0")/lib.sh"
conf <<'END'
worker_processes 2
timeout 60
oob_gc false # collections in requests are wanted here
rack do |env|
  case env["PATH_INFO"]
  when "/garbage" then Array.new(30_000) { |i| "a string that is longer than 23 bytes #{i}" }
  when "/gc" then GC.start
  when "/slow" # until the test says so
    File.write("#{ENV["RFK_TEST"]}/slow", "")
    sleep 0.02 until File.exist?("#{ENV["RFK_TEST"]}/go")
  end
  [200, { "content-type" => "text/plain" }, ["pid #{Process.pid}\n"]]
end
END
start "$CONF"
json() { # PERL over $s, the list of processes
	ctl --json dumpstat $2 | perl -MJSON::PP -e 'my $s = decode_json(join "", <STDIN>); print eval($ARGV[0]) // "", "\n"' -- "$1"
}
csv() { # PERL over @rows, each a hash by the header's names; ARGS
	csv_code=$1
	shift
	ctl "$@" | perl -e 'my $code = shift; chomp(my @lines = <STDIN>); my @head = split /,/, shift @lines;
		my @rows = map { my %r; @r{@head} = split /,/, $_, -1; \%r } @lines; print eval($code) // $@, "\n"' -- "$csv_code"
}
requests() { # N PATH
	requests_n=0
	while [ $requests_n -lt "$1" ]; do
		get "$2" >/dev/null || return 1
		requests_n=$((requests_n + 1))
	done
}
ok 'serves' requests 30 /garbage

# dumpstat
is 'two workers and the mold' "$(json 'join " ", map { $_->{role} . ($_->{slot} // "") } @$s')" 'worker0 worker1 mold'
is 'one of them' "$(json 'join " ", map { $_->{role} . $_->{slot} } @$s' 1)" 'worker1'
is 'the same by option' "$(ctl dumpstat --worker 1 | head -n 1 | cut -d' ' -f1,2)" 'worker 1'
ok 'GC.stat' [ "$(json '$s->[0]{gc}{total_allocated_objects}')" -gt 1000 ]
ok 'objects' [ "$(json '$s->[0]{objects}{T_STRING}')" -gt 1000 ]
ok 'and their sizes' [ "$(json '$s->[0]{sizes}{TOTAL}')" -gt 1000 ]
ok 'memory' [ "$(json '$s->[0]{memory}{pss_kb}')" -gt 0 ]
ok 'of preload' [ "$(json '$s->[0]{preload}{live0}')" -gt 100 ]
is 'requests since the fork' "$(json '$s->[0]{life}{requests} + $s->[1]{life}{requests}')" 30
ok 'and why it collected' [ "$(json '$s->[0]{life}{by_newobj} + $s->[1]{life}{by_newobj} + $s->[0]{life}{by_malloc} + $s->[1]{life}{by_malloc}')" -gt 0 ]
is 'pools of the heap where Ruby has them' "$(json '($s->[0]{ruby}{version} =~ /^3\.1/) xor exists $s->[0]{heap4}{slot_size}')" 1
is 'CSV: a line each, all of one width' "$(ctl dumpstat --csv | perl -ne '$n{tr/,//}++; END { print scalar keys %n, " $." }')" '1 4'
like 'again and again' "$(timeout 10 "$REFORKCTL" -c "$CONF" dumpstat --csv --every 0.1 -w 0 | head -n 4 | cut -d, -f2,3 | tr '\n' ' ')" '^role,slot worker,0 worker,0 worker,0 $'
nok 'no such slot' ctl dumpstat 9
like 'wrong usage' "$(ctl dumpstat --every 0 2>&1)" '^reforkctl: --every: seconds, 0.1 to 86400, not "0"$'

# A worker that is busy answers when it is done; the other one at once.
get /slow >/dev/null &
await 'one is busy' [ -e "$DIR/slow" ]
ctl dumpstat --json >"$DIR/late" 2>&1 &
LATE=$!
ok 'the master answers others' ctl version
touch "$DIR/go"
wait $LATE
is 'and it has answered as well' "$(grep -c '"role": "worker"' "$DIR/late")" 2
rm -f "$DIR/go" "$DIR/slow"
get /slow >/dev/null &
await 'busy for longer than anybody waits' [ -e "$DIR/slow" ]
late() { ctl dumpstat 2>"$DIR/late"; }
nok 'is an error' late
like 'that names it' "$(cat "$DIR/late")" 'worker [01]: no answer in 10 s: busy since .* GET /slow'
touch "$DIR/go"

# gclog
nok 'nothing is logged by itself' ctl gclog read
like 'on' "$(ctl gclog on)" 'is on in 2 workers'
ok 'collections in requests' requests 30 /garbage
ok 'and by order' requests 2 /gc
is 'are in it' "$(csv 'scalar(grep { $_->{by} eq "newobj" || $_->{by} eq "malloc" } @rows) > 0 ? "yes" : "no"' gclog read)" yes
is 'in the requests' "$(csv 'join ",", sort keys %{{ map { $_->{request} => 1 } @rows }}' gclog read)" in
is 'GC.start is a major one, by a method' "$(csv '(grep { $_->{kind} eq "major" && $_->{by} eq "method" && $_->{major_by} eq "force" } @rows) >= 2' gclog read)" 1
is 'each has taken its time' "$(csv 'scalar grep { $_->{gc_us} <= 0 } @rows' gclog read)" 0
is 'and has its number' "$(csv 'my %n; scalar grep { $n{"$_->{pid} $_->{count}"}++ } @rows' gclog read)" 0
ok 'a refork with it on' ctl refork
ok 'and another one' ctl refork
await 'all are of generation 2' generation 2 2
ok 'they log their own' requests 30 /garbage
is 'and nothing of their ancestors' "$(csv 'join " ", sort keys %{{ map { $_->{generation} => 1 } @rows }}' gclog read)" 2
like 'off' "$(ctl gclog off 1)" 'is off in 1 worker$'
ok 'keeps what there is' ctl gclog read 1
ok 'off for all' ctl gclog off
ok 'a reload' ctl reload
nok 'begins without' ctl gclog read
nok 'a word is wanted' ctl gclog
finish
