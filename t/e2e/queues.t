#!/bin/sh
# The queues of a listener: each is served whatever becomes of the number of
# workers, and of the queues.
. "$(dirname "$0")/lib.sh"
. "$ROOT/t/e2e/queues.sh"
TCP=$(free_port)
export TCP
# Which of the port's sockets, by age, a worker waits at: "0 1"
queues() { # NR
	perl -e 'my ($port, $pid) = @ARGV;
		open my $tcp, "<", "/proc/$pid/net/tcp" or die; my @inodes;
		while (<$tcp>) { my @f = split; push @inodes, $f[9] if $f[3] eq "0A" && $f[1] =~ /:0*@{[sprintf "%X", $port]}$/ }
		my %age; $age{$_} = keys %age for sort { $a <=> $b } @inodes;
		my %seen;
		for my $info (glob "/proc/$pid/fdinfo/*") {
			open my $in, "<", $info or next;
			while (<$in>) {
				next unless /^tfd:\s+(\d+)/;
				my $at = readlink("/proc/$pid/fd/$1") // "";
				$seen{$age{$1}} = 1 if $at =~ /^socket:\[(\d+)\]/ && defined $age{$1};
			}
		}
		print join(" ", sort keys %seen)' "$TCP" "$(worker "$1")"
}
at() { curl -s --max-time 5 -o /dev/null -w '%{http_code}\n' "http://127.0.0.1:$TCP$1"; }

conf <<'END'
worker_processes 1
refork_after false
canary_time 0.05
queues = File.read("#{ENV["RFK_TEST"]}/queues").to_i
listen "127.0.0.1:#{ENV["TCP"]}", queues: queues, queues_per_worker: 1, tcp_defer_accept: 0
rack ->(_) { [200, {}, ["fine\n"]] }
END
echo 4 >"$DIR/queues"
listening() { [ "$(grep -Ec ":$(printf '%04X' "$TCP") .* 0A " /proc/net/tcp)" -eq "$1" ]; }
prints() { "$REFORKD" -t -c "$CONF" | grep -q -- "$1"; }
complains() { "$REFORKD" -t -c "$DIR/wrong.rb" 2>&1 | grep -Eq -- "$1"; }
start "$CONF"
ok 'one worker serves all four' all_answered
kill -TTIN "$MASTER"
await 'with another one' count 2 workers
both_serve() { [ "$(queues 0) $(queues 1)" = '0 2 1 3' ]; }
await 'they are shared' both_serve
kill -TTOU "$MASTER"
await 'without it' count 1 workers
await 'all come back' all_answered
for n in 1 3 2; do
	echo $n >"$DIR/queues"
	ok "$n queues, by a reload" ctl reload
	await 'so many listen' listening $n
	ok 'all of them are served' all_answered
done
is 'reforkctl tells the address once' "$(ctl status | grep -o "127.0.0.1:$TCP" | wc -l)" 1
ok '-t prints what can be read again' prints 'queues: 2, queues_per_worker: 1'
for wrong in 'listen "/x.sock", queues: 2' 'listen 1, queues: 0' 'listen 1, queues: "x"' 'listen 1, queues: 100; listen 2, queues: 29'; do
	echo "$wrong" >"$DIR/wrong.rb"
	nok "$wrong" "$REFORKD" -t -c "$DIR/wrong.rb"
	ok 'is refused with its line' complains 'wrong.rb:1: (queues need a TCP address|too low|not an integer: queues="x"|too many: 129)'
done
finish
