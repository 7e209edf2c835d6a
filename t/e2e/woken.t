#!/bin/sh
# The kernel wakes one sleeping worker for a connection and tells no other. When
# that one is told to go, or dies, before it has run, the connection must not
# wait for the next one to come. A core that is taken makes the moment last.
. "$(dirname "$0")/lib.sh"
command -v chrt >/dev/null && command -v taskset >/dev/null || skip_all 'no chrt, no taskset'
core=$(taskset -cp $$ | sed 's/.*: *//; s/[,-].*//')
cat >"$DIR/ask.pl" <<'END'
# ask.pl CORE WORKER... -- COMMAND: connects and asks while the workers cannot
# run, does COMMAND, lets them; says by whom it was answered.
use strict;
use warnings;
use IO::Select;
use IO::Socket::UNIX;
my $core = shift;
my @workers;
push @workers, shift while $ARGV[0] ne '--';
shift;
pipe my $over, my $end or die;
my $hog = fork // die;
if (!$hog) {
	close $end;
	system "taskset -cp $core $$ >/dev/null";
	print "\n";
	my $s = IO::Select->new($over);
	1 until $s->can_read(0);
	exit 0;
}
close $over;
chomp(my $cores = (split ' ', `taskset -cp $$`)[-1]);
open STDERR, '>', '/dev/null' or die; # who has gone is not restored
system "taskset -cp $core $_ >/dev/null && chrt -i -p 0 $_" for @workers;
my $client = IO::Socket::UNIX->new(Peer => $ENV{SOCK}) or die "connect: $!\n";
print $client "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
system @ARGV;
close $end;
waitpid $hog, 0;
system "chrt -o -p 0 $_; taskset -cp $cores $_ >/dev/null" for @workers;
alarm 20;
my $answer = do { local $/; <$client> };
print $answer =~ /\r\n\r\n(\d+)\n\z/ ? "$1\n" : "no answer\n";
END
app() { # ENV...
	echo 'run ->(env) { [200, { "content-type" => "text/plain" }, ["#{Process.pid}\n"]] }' >"$DIR/app.ru"
	conf <<CONF
worker_processes 3
refork_after false
rack "$DIR/app.ru"
after_worker_fork { |_, worker| sleep 0.05 while File.exist?("$DIR/wait.#{worker.nr}") }
CONF
	start "$CONF"
	await 'all workers' ready 3
}
ready() { ctl status --json | grep -q "\"serving\": $1,"; }
# The first in the kernel's queue is who has waited longest: worker 1 then.
last_is_0() {
	last_was=$(worker 0)
	kill -KILL "$last_was"
	until_true last_is_another && until_true ready 3
}
last_is_another() { last_now=$(worker 0) && [ -n "$last_now" ] && [ "$last_now" != "$last_was" ]; }
with_bundle t/gems/rack3

# Told to go. What helps where nobody has accepted is off.
REFORKD_FAULT=listen_idle:fail
export REFORKD_FAULT
app
for round in 1 2; do
	ok 'worker 0 is the last in the queue' last_is_0
	all=$(workers)
	# shellcheck disable=SC2086
	like 'asked while the others are told to go' "$(perl "$DIR/ask.pl" "$core" $all -- "$REFORKCTL" -c "$CONF" scale 1 | tail -n 1)" '^[0-9]+$'
	ok 'three again' ctl scale 3
	await 'all workers' ready 3
done
stop || result 1 'stops'
unset REFORKD_FAULT

# Dead, and its successor does not come yet.
: >"$LOG"
app
# One that had accepted already takes its own request along: that is not the moment.
missed() {
	answer=nobody
	last_is_0 || return 1
	touch "$DIR/wait.1"
	all=$(workers)
	first=$(worker 1)
	# shellcheck disable=SC2086
	answer=$(perl "$DIR/ask.pl" "$core" $all -- kill -KILL "$first" | tail -n 1)
	until_true ready 2 || answer='its successor was there'
	rm "$DIR/wait.1"
	until_true ready 3
	[ "$answer" = 'no answer' ]
}
for round in 1 2 3 4 5 6; do
	missed || break
done
like 'asked while the first one is killed' "$answer" '^[0-9]+$'
finish
