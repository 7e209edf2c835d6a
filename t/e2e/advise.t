#!/bin/sh
# What the memory is made of, what a refork would bring, and variables that this
# Ruby reads: of a running pool, by reforkctl alone.
. "$(dirname "$0")/lib.sh"
conf <<'END'
worker_processes 3
refork false # but by hand
oob_gc false # what Ruby does by itself is to be judged
KEPT = Array.new(100_000) { |i| "a string that is kept, long enough #{i}" }
MINE = []
rack do |env|
  Array.new(4) { "y" * 3_000_000 }
  MINE << "z" * 200_000 if MINE.size < 50
  [200, { "content-type" => "text/plain" }, ["pid #{Process.pid}\n"]]
end
END
READY='master process ready' # all of them: each is asked
start "$CONF"
VERSION=$(ctl --json dumpstat 0 | sed -n 's/.*"version": "\([0-9]*\.[0-9]*\).*/\1/p')
row() { # NAME COLUMN
	ctl advise | sed -n "s/^ *$1 *\([0-9.]*\) *\([0-9.]*\) *\([0-9.]*\) *\([0-9.]*\)\$/\\$2/p"
}
near() { # A B: within a tenth
	echo "$1 and $2"
	perl -e 'exit !($ARGV[0] > 0 && abs($ARGV[0] - $ARGV[1]) <= $ARGV[1] / 10)' "$1" "$2"
}
pss() { # of the mold and the workers, MB
	ctl --json dumpstat | perl -MJSON::PP -e 'my $s = decode_json(join "", <STDIN>);
		my $kb = 0; $kb += $_->{memory}{pss_kb} for @$s; printf "%.1f\n", $kb / 1024'
}

before_any() { ctl advise >"$DIR/advice" 2>&1 && grep -q '^# 0 requests since the last fork are too few' "$DIR/advice"; }
await 'before the first request only preload is judged' before_any
case $VERSION in
3.1) INIT=RUBY_GC_HEAP_INIT_SLOTS ;;
*) INIT='RUBY_GC_HEAP_[0-4]_INIT_SLOTS' ;;
esac
like 'the slots that preload needs' "$(ctl advise)" "^$INIT=[0-9]+\$"
ok 'most is shared before anybody works' perl -e 'exit !($ARGV[0] > $ARGV[1])' "$(row 'sum' 1)" "$(row sum 3)"

ok 'load is served' "$LOAD" -c 6 -n 600 --any --close --plain -p / "$SOCK"
ctl advise >"$DIR/advice" 2>&1
like 'malloc is what it collects for' "$(cat "$DIR/advice")" '^RUBY_GC_MALLOC_LIMIT=[0-9]+M$'
like 'with the measurement' "$(cat "$DIR/advice")" '^# [0-9]+ of [0-9]+ collections in requests .* because of malloc; a request takes 1?[0-9]\.[0-9] MB'
is 'nothing but comments and variables follows' "$(sed '1,/^Ruby [0-9.]*: variables/d' "$DIR/advice" | grep -Ev '^(#.*|RUBY_GC_[A-Z0-9_]+=[0-9.]+M?|)$')" ''
like 'what a refork would bring' "$(cat "$DIR/advice")" 'A refork now would give back up to [1-9][0-9]* MB'
ok 'the pages add up to PSS' near "$(row sum 4)" "$(pss)"
ok 'malloc has most of what is private' perl -e 'exit !($ARGV[0] > $ARGV[1] / 2)' "$(row malloc 3)" "$(row sum 3)"
like 'and that they could be between requests' "$(cat "$DIR/advice")" '^#   oob_gc true$'
ctl --json advise | perl -MJSON::PP -e 'my $a = decode_json(join "", <STDIN>);
	my ($m) = grep { ($_->{name} // "") eq "RUBY_GC_MALLOC_LIMIT" } @{ $a->{advice} };
	my ($o) = grep { ($_->{directive} // "") eq "oob_gc true" } @{ $a->{advice} };
	print "$a->{ruby} $a->{requests} $a->{workers} $m->{rule} $m->{value} $o->{rule}, ",
		$a->{refork}{gain_kb} > 1024 && $a->{memory}{malloc}{private_kb} > 1024 ? "memory" : "", "\n"' >"$DIR/said" 2>&1
like 'all of it as JSON' "$(cat "$DIR/said")" "^$VERSION\.[0-9]+ 600 3 malloc [0-9]+M oob, memory\$"
OWN=$(row sum 3)
ok 'a refork' ctl refork
ok 'brings it' perl -e 'exit !($ARGV[0] < $ARGV[1] / 2)' "$(row sum 3)" "$OWN"

# Ruby says with -W what it makes of the variables that it reads.
unread() {
	sed -n 's/^\(RUBY_GC_[A-Z0-9_]*\)=.*/\1/p' "$DIR/advice" | while read -r name; do
		env "$name=1M" "${RUBY:-ruby}" -W -e '' 2>&1 | grep -q "^$name=" || echo "$name"
	done
}
is 'each is one that this Ruby reads' "$(unread)" ''

# The values that it names, in the environment of the next start
sed -n 's/^\(RUBY_GC_[A-Z0-9_]*=.*\)$/export \1/p' "$DIR/advice" >"$DIR/env"
ok 'stops' stop
. "$DIR/env"
: >"$LOG"
start "$CONF"
unlike 'are not said again' "$(ctl advise)" '^RUBY_GC_HEAP'
ok 'and are in force' [ "$(ctl --json dumpstat 0 | sed -n 's/.*"malloc_increase_bytes_limit": \([0-9]*\).*/\1/p')" -ge 33554432 ]
like 'status goes on' "$(ctl status)" SERVING
nok 'a pool that is not there' ctl advise nothing
like 'is named' "$(ctl advise nothing 2>&1)" nothing

# A batch, and a mold whose heap is full of holes
ok 'stops' stop
conf <<'END'
pool(:batch) do
  heap_preparation false
  holes = Array.new(200_000) { |i| "a string" }
  KEPT = holes.each_slice(2).map(&:first)
  holes.clear
  GC.start
  run do |worker|
    mine = Array.new(300_000) { Object.new }
    worker.done while worker.wait(0.02)
    mine.clear
  end
end
END
unset $(sed -n 's/^export \([A-Z0-9_]*\)=.*/\1/p' "$DIR/env")
: >"$LOG"
start "$CONF"
batch() { ctl advise batch >"$DIR/advice" && grep -Eq "^RUBY_GC_HEAP_(0_)?INIT_SLOTS=[3-9][0-9]{5}\$" "$DIR/advice"; }
await 'a batch is advised to begin with what lives in it' batch
unlike 'and not judged by requests' "$(cat "$DIR/advice")" 'too few to judge'
like 'holes in a mold that was not prepared' "$(cat "$DIR/advice")" '^#   heap_preparation true; compact true$'
finish
